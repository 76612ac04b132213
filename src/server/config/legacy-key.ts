import { isUtf8 } from "node:buffer";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { toErrorCode } from "../../core/errors.ts";
import { systemClock } from "../../core/runtime/clock.ts";
import { toLegacyUntil } from "../../core/settings/legacy-settings.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";

const setting = "legacyRefreshKeyFile";

/**
 * Returns the content of `legacyRefreshKeyFile` without white space at its end, or `undefined` if the setting isn't set. If
 * `legacyRefreshUntil` has passed, the file isn't read, and the result is an empty text.
 *
 * @throws ConfigError if the file can't be read, or if `legacyRefreshUntil` is missing.
 */
export function readLegacyKey(
  { server, settings, directory }: Config,
  now = systemClock.now(),
): Uint8Array | undefined {
  const { legacyRefreshKeyFile: path } = server;
  if (path === undefined) return undefined;
  const until = toLegacyUntil(settings.legacyRefreshUntil ?? "");
  if (until === null) throw new ConfigError(`${setting}: needs legacyRefreshUntil too, for example "2026-09-30"`);
  if (now >= until) return new Uint8Array();
  const content = read(resolve(directory, path));
  if (!isUtf8(content) || content.includes(0)) throw new ConfigError(`${setting}: is not a text file`);
  return Buffer.from(content.toString("utf8").trimEnd());
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const code = toErrorCode(cause) ?? "unknown error";
    // In case an operator sets the secret itself here: an existing file isn't one.
    const shown = existsSync(file) ? file : "the file";
    throw new ConfigError(`${setting}: ${shown} can't be read (${code}); check the path, the owner and the mode`, {
      cause,
    });
  }
}
