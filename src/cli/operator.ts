import { userInfo } from "node:os";
import type { ClientInfo } from "../core/client-info.ts";

/** The client info of events that a command causes. The actor is "cli/" and the name of the operating system's user. */
export const operator: ClientInfo = Object.freeze({ actor: `cli/${readName()}` });

function readName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container, the user id may have no name.
    return String(process.getuid?.() ?? "unknown");
  }
}
