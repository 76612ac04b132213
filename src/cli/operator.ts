import { userInfo } from "node:os";
import type { ClientInfo } from "../core/client-info.ts";

/** Who asks on a command line, for the events: "cli/" and the name of the system's user. */
export const operator: ClientInfo = Object.freeze({ actor: `cli/${readName()}` });

function readName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container, a user id without a name.
    return String(process.getuid?.() ?? "unknown");
  }
}
