export type { Carrier } from "./nestjs-context.ts";
export { CurrentUser, Public, StepUp } from "./nestjs-decorators.ts";
export { AuthGuard } from "./nestjs-guard.ts";
export { TokenpairModule } from "./nestjs-module.ts";
export {
  InjectAuth,
  type NestAsyncOptions,
  type NestAuth,
  type NestGuardOptions,
  type NestOptions,
} from "./nestjs-options.ts";
export type { SocketRefusal } from "./nestjs-refusal.ts";
export type { SocketHandshake } from "./nestjs-socket.ts";
export { AuthSockets } from "./nestjs-sockets.ts";
