import { pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import { isEqual, malformed, type Parsed, parseBase64, parseCount, unaffordable } from "./hash-format.ts";

const derive = promisify(pbkdf2);

/** The maximum number of iterations that is accepted. Django 6.0 uses 1,200,000. */
const maxIterations = 5_000_000;

const outputLength = { sha256: 32, sha1: 20 } as const;

/** Parses `iterations$salt$hash`: PBKDF2 (RFC 8018 §5.2). The salt is used as UTF-8 bytes, and the hash is in base64. */
export function parsePbkdf2(fields: string, digest: "sha256" | "sha1"): Parsed {
  const [count = "", salt = "", output = "", ...rest] = fields.split("$");
  const iterations = parseCount(count);
  const expected = parseBase64(output);
  if (iterations === null || salt === "" || expected?.length !== outputLength[digest] || rest.length > 0) {
    return malformed;
  }
  if (iterations > maxIterations) return unaffordable;
  return {
    matches: async (password) => isEqual(await derive(password, salt, iterations, expected.length, digest), expected),
  };
}
