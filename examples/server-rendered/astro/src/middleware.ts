import { defineMiddleware } from "astro:middleware";
import { getAuth } from "./lib/auth.ts";

const protectedPages = ["/notes"];

export const onRequest = defineMiddleware(async ({ request, routePattern, locals }, next) => {
  if (!protectedPages.includes(routePattern)) return next();
  const auth = await getAuth();
  const checked = await auth.checkPage(request, { loginPath: "/login" });
  if (!checked.ok) return checked.response;
  locals.auth = checked.authentication;
  return next();
});
