import { AuthError } from "../core/errors.ts";
import type { Settings } from "../core/settings.ts";
import { type HeaderSource, readHeader } from "./header-source.ts";

/**
 * The token of the authorization header (RFC 6750 §2.1), or `null` where there is none or another scheme.
 *
 * @throws AuthError `bad_authorization_header` where one of our schemes is not followed by exactly one value.
 */
export function readBearerToken(
  headers: HeaderSource,
  { authHeaderName, authHeaderTypes }: Pick<Settings, "authHeaderName" | "authHeaderTypes">,
): string | null {
  const parts = readHeader(headers, authHeaderName)?.split(/[ \t]+/) ?? [];
  const [scheme = "", token, ...more] = parts.filter((part) => part !== "");
  // RFC 9110 §11.1: the case of a scheme does not count.
  if (!authHeaderTypes.some((type) => type.toLowerCase() === scheme.toLowerCase())) return null;
  if (token === undefined || more.length > 0) {
    throw new AuthError("bad_authorization_header", "the header needs a scheme and one token");
  }
  return token;
}
