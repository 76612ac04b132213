import { AuthError, SchemaVersionError, StoreUnavailableError } from "../core/errors.ts";
import { ConfigError } from "../server/config/config-error.ts";

/** The answer is no; the message says why and what to do. Exit code 1. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** The command line lacks something; the message says what. Exit code 2. */
export class Misused extends Error {
  override readonly name = "Misused";
}

/** What to tell whoever typed the command. Of a defect of ours, all that helps to report it. */
export function toReason(error: unknown): string {
  if (error instanceof StoreUnavailableError) return `the database cannot be used (${error.message})`;
  if (error instanceof Refused || error instanceof ConfigError || error instanceof SchemaVersionError) {
    return error.message;
  }
  // Of a flow: what the command had found was gone before it was done.
  if (error instanceof AuthError) return error.reason;
  // Of createAuth: it names the setting and the fix.
  if (error instanceof TypeError && /^\w+: /.test(error.message)) return error.message;
  // Of the two prompts, at Ctrl-C.
  if (error instanceof Error && /^(?:ExitPrompt|Abort)Error$/.test(error.name)) return "cancelled; nothing was changed";
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
