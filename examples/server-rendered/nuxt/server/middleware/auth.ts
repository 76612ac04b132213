import type { Authentication } from "tokenpair";

declare module "h3" {
  interface H3EventContext {
    /** Who sent the request. Only protected paths have it. */
    auth: Authentication;
  }
}

/** The paths that need a login, each with everything below it: pages, and the routes that load their data. */
const isProtected = (path: string) => /^\/(?:api\/)?notes(?:[/?]|$)/i.test(path);

export default defineEventHandler(async (event) => {
  const auth = await getAuth();
  if (auth.handles(event.path)) return auth.fetch(toWebRequest(event), { ip: getRequestIP(event) });
  if (!isProtected(event.path)) return;
  const checked = await auth.checkPage(event.node.req, { loginPath: "/login", url: event.path });
  if (!checked.ok) return checked.response;
  event.context.auth = checked.authentication;
});
