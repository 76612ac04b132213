import type { PresentedCredential } from "../../flows/services/authenticate-service.ts";
import { type HeaderSource, readHeader } from "./headers.ts";

/** A text that is never a valid credential. */
const malformed: PresentedCredential = Object.freeze({ credential: "" });

/**
 * Returns the credential that a service sent in `Authorization`. The header is either `Bearer CREDENTIAL`, or `Basic` with
 * the service's name as the user and the credential as the password (RFC 7617 §2). Schemes are compared case-insensitively.
 * For any other header, returns a text that is never a valid credential. Returns `null` only if there is no header.
 */
export function readServiceCredential(headers: HeaderSource): PresentedCredential | null {
  const header = readHeader(headers, "authorization");
  if (header === undefined) return null;
  const [, scheme = "", value = ""] = /^([A-Za-z]+)[ \t]+(\S+)[ \t]*$/.exec(header) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return { credential: value };
    case "basic":
      return parseBasic(value);
    default:
      return malformed;
  }
}

function parseBasic(value: string): PresentedCredential {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return malformed;
  const text = Buffer.from(value, "base64").toString();
  const nameEnd = text.indexOf(":");
  return nameEnd === -1 ? malformed : { name: text.slice(0, nameEnd), credential: text.slice(nameEnd + 1) };
}
