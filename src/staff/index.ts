export type { Role } from "../core/role.ts";
export { type Console, type ConsoleOptions, createConsole } from "./create-console.ts";
export type { TimedRequest } from "./nodes/node-reporter.ts";
