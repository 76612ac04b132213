import type { Handle } from "@sveltejs/kit";
import { getAuth } from "./lib/server/auth.ts";

export const handle: Handle = async ({ event, resolve }) => {
  const { request, url, route, locals } = event;
  const auth = await getAuth();
  if (auth.handles(url.pathname)) return auth.fetch(request, { ip: event.getClientAddress() });
  if (!route.id?.startsWith("/(users)")) return resolve(event);
  const checked = await auth.checkPage(request, { loginPath: "/login" });
  if (!checked.ok) return checked.response;
  locals.auth = checked.authentication;
  return resolve(event);
};
