import type { APIRoute } from "astro";
import { getAuth } from "../../../lib/auth.ts";

export const ALL: APIRoute = async ({ request, clientAddress }) => {
  const auth = await getAuth();
  return auth.fetch(request, { ip: clientAddress });
};
