import { userInfo } from "node:os";
import type { ClientInfo } from "../core/client-info.ts";
import { CommandError } from "./errors.ts";

/** The client info of events that a command causes. The actor is "cli/" and the name of the operating system's user. */
export const operator: ClientInfo = Object.freeze({ actor: `cli/${readName()}` });

/** The option with which an operator says why a command changes something. */
export const reasonOption = ["--reason <text>", "Why, for the audit log."] as const;

/** Returns the client info of a command that was called with `--reason`. */
export function toOperator({ reason }: { readonly reason?: string }): ClientInfo {
  if (reason === undefined) return operator;
  if (/^.{1,500}$/su.test(reason.trim())) return { ...operator, note: reason.trim() };
  throw new CommandError("--reason must have 1 to 500 characters");
}

function readName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container, the user id may have no name.
    return String(process.getuid?.() ?? "unknown");
  }
}
