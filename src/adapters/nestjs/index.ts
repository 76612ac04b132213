export type { Carrier } from "./context.ts";
export { CurrentUser, Public, StepUp } from "./decorators.ts";
export { AuthGuard } from "./guard.ts";
export { TokenpairModule } from "./module.ts";
export {
  InjectAuth,
  type NestAsyncOptions,
  type NestAuth,
  type NestGuardOptions,
  type NestOptions,
} from "./options.ts";
export type { SocketHandshake } from "./socket.ts";
export type { SocketRefusal } from "./socket-refusal.ts";
export { AuthSockets } from "./sockets.ts";
