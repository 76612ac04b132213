import { expect } from "vitest";
import { createPasswordHasher } from "../../../src/crypto/passwords.ts";
import { mutationsOf } from "../mutations.ts";
import type { FuzzTarget } from "../target.ts";

const hasher = createPasswordHasher({ passwordMemoryCost: 64, passwordTimeCost: 1 });
const genuine = await hasher.hash("the right one");

/** What stands in the column of the hashes, which an import may have filled. */
export const storedHash: FuzzTarget = {
  name: "a stored hash",
  inputs: mutationsOf(
    [
      genuine,
      "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
      "pbkdf2_sha1$2$abcdefghijklmnopqrstuv$pPaxJdc/I8uPjvkfuFn3JbjEDOw=",
      "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuuNedvVn6xtbAQAZuV7WV0/Xblslvlz0S",
      "!",
      "",
    ],
    ["$", "m=", "t=", "p=", ",", "bcrypt$", "md5$"],
  ),
  async check(encoded) {
    expect(await hasher.verify(encoded, "a wrong one")).toBeNull();
  },
};
