import { createHash } from "node:crypto";
import { malformed, type Parsed, unaffordable } from "./hash-format.ts";

/**
 * The highest cost that is accepted. It is eight times the work of Django's cost of 12, because each step doubles the work.
 */
const maxCost = 15;

/** Matches the version, the cost, 22 characters of salt and 31 characters of hash, in bcrypt's own base64. */
const pattern = /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/;

/** The number of bytes of a password that bcrypt uses. */
const usedBytes = 72;

/** Parses a bcrypt hash. bcrypt uses only the first 72 bytes of a password. */
export function parseBcrypt(encoded: string): Parsed {
  const cost = pattern.exec(encoded)?.[1];
  if (cost === undefined) return malformed;
  if (Number(cost) > maxCost) return unaffordable;
  return {
    async matches(password) {
      // Loads the native addon at the first bcrypt hash, so that importing tokenpair loads none.
      const { verify } = await import("@node-rs/bcrypt");
      return verify(password, encoded);
    },
    // A hash of 72 bytes may be of a longer password. A shorter one ends with a NUL, which the hash covers.
    coversWhole: (password) => Buffer.byteLength(password) < usedBytes,
  };
}

/** Parses a bcrypt hash of the hexadecimal SHA-256 of a password. It covers the whole password, even beyond 72 bytes. */
export function parseBcryptSha256(encoded: string): Parsed {
  const parsed = parseBcrypt(encoded);
  if ("fault" in parsed) return parsed;
  return { matches: (password) => parsed.matches(createHash("sha256").update(password).digest("hex")) };
}
