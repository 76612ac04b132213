import type { APIRoute } from "astro";
import { getAuth } from "../../../lib/auth.ts";

export const ALL: APIRoute = async ({ request, clientAddress }) => {
  // The address that the proxy in front of Astro has added. Astro takes the first one, which clients can choose.
  const forwarded = request.headers.get("X-Forwarded-For")?.split(",").at(-1)?.trim();
  const auth = await getAuth();
  return auth.fetch(request, { ip: forwarded ?? clientAddress });
};
