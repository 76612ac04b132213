import { createHash } from "node:crypto";
import { isEqual, malformed, type Parsed } from "./hash-format.ts";

/**
 * Parses `salt$hash`: MD5 of salt and password, in hexadecimal. MD5 is so fast that guessing passwords costs an attacker
 * almost nothing.
 */
export function parseMd5(fields: string): Parsed {
  const [salt = "", output = "", ...rest] = fields.split("$");
  if (salt === "" || !/^[0-9a-f]{32}$/.test(output) || rest.length > 0) return malformed;
  const expected = Buffer.from(output, "hex");
  return {
    matches: async (password) => isEqual(createHash("md5").update(salt).update(password).digest(), expected),
  };
}
