export type { Role } from "../core/role.ts";
export { type Console, type ConsoleOptions, createConsole } from "./create-console.ts";
