import { AuthError } from "../../core/errors.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { type HeaderSource, readHeader, toLowerCase } from "./headers.ts";

/**
 * Returns the token of the authorization header (RFC 6750 §2.1), or `null` if the header is missing or has another
 * scheme.
 *
 * @throws AuthError `bad_authorization_header` if one of the configured schemes is not followed by exactly one value.
 */
export type ReadBearerToken = (headers: HeaderSource) => string | null;

/** Creates a reader for the header that the setting `authHeaderName` names. */
export function createBearerReader({
  authHeaderName,
  authHeaderTypes,
}: Pick<Settings, "authHeaderName" | "authHeaderTypes">): ReadBearerToken {
  const name = toLowerCase(authHeaderName);
  return (headers) => {
    const header = readHeader(headers, name);
    if (header === undefined) return null;
    for (const type of authHeaderTypes) if (isPlain(header, type)) return header.slice(type.length + 1);

    const [scheme = "", token, ...more] = header.split(/[ \t]+/).filter((part) => part !== "");
    // RFC 9110 §11.1: schemes are compared without regard to case.
    if (!authHeaderTypes.some((type) => type.toLowerCase() === scheme.toLowerCase())) return null;
    if (token === undefined || more.length > 0) {
      throw new AuthError("bad_authorization_header", "the header needs a scheme and one token");
    }
    return token;
  };
}

/** Returns whether the header has the usual form: the scheme as configured, one space, and a token. */
function isPlain(header: string, scheme: string): boolean {
  const start = scheme.length + 1;
  return (
    header.charCodeAt(scheme.length) === 0x20 &&
    header.startsWith(scheme) &&
    header.length > start &&
    header.indexOf(" ", start) === -1 &&
    header.indexOf("\t", start) === -1
  );
}
