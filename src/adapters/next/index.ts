/** The App Router of Next 16, and of Next 15.5 with the Node.js runtime. */

export { sharedAuth } from "../../shared-auth.ts";
export { action } from "./action.ts";
export type { AuthSource } from "./auth.ts";
export { type Handlers, type HandlersOptions, handlers, type RouteHandler } from "./handlers.ts";
export type { Paths } from "./paths.ts";
export { type ProxyAuth, type ProxyOptions, proxy } from "./proxy.ts";
export type { FindAddress } from "./request.ts";
export { withUser } from "./route.ts";
export type { InitialSession } from "./session.ts";
export { type PageAuth, type Pages, pages } from "./user.ts";
