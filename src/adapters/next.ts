/** The App Router of Next 16, and of Next 15.5 with the Node.js runtime. */

export { sharedAuth } from "../shared-auth.ts";
export { action } from "./next-action.ts";
export type { AuthSource } from "./next-auth.ts";
export { type Handlers, type HandlersOptions, handlers, type RouteHandler } from "./next-handlers.ts";
export type { Paths } from "./next-paths.ts";
export { type ProxyAuth, type ProxyOptions, proxy } from "./next-proxy.ts";
export type { FindAddress } from "./next-request.ts";
export { withUser } from "./next-route.ts";
export type { InitialSession } from "./next-session.ts";
export { type PageAuth, type Pages, pages } from "./next-user.ts";
