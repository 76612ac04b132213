import { AuthError, SchemaVersionError, StoreUnavailableError } from "../core/errors.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import { ConfigError } from "../server/config/config-error.ts";

/** Thrown if a command was refused. The message says why, and what to do. The exit code is 1. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** Thrown if the command line is incomplete or contradictory. The message says how to correct it. The exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Returns the message for the operator. For an unexpected error, it includes the stack, which is useful for a bug report.
 */
export function toErrorMessage(error: unknown): string {
  if (error instanceof StoreUnavailableError) return `the database is unavailable (${error.message})`;
  if (error instanceof CommandError || error instanceof ConfigError || error instanceof SchemaVersionError) {
    return error.message;
  }
  // Thrown by flows about keys, if the keys in the settings don't fit those in the database.
  if (error instanceof SettingError) return error.message;
  // Thrown by a flow, for example if the user was deleted while the command ran.
  if (error instanceof AuthError) return error.reason;
  // Thrown by the prompts at Ctrl-C.
  if (error instanceof Error && /^(?:ExitPrompt|Abort)Error$/.test(error.name)) return "cancelled; nothing was changed";
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
