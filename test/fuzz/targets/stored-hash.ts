import { expect } from "vitest";
import { parseStoredHash } from "../../../src/crypto/passwords/stored-hash.ts";
import { createPasswordHasher } from "../../../src/crypto/passwords.ts";
import { mutationsOf } from "../mutations.ts";
import type { FuzzTarget } from "../target.ts";

const hasher = createPasswordHasher({ passwordMemoryCost: 64, passwordTimeCost: 1 });
const genuine = await hasher.hash("the right one");
const hash = "c2l4dGVlbiBieXRlcyE";

/** One hash of each format, invented but for the first. */
const seeds = [
  genuine,
  `$argon2id$v=19$m=64,t=1,p=1,keyid=azE$${hash}$${hash}`,
  `argon2$argon2id$v=19$m=102400,t=2,p=8$${hash}$${hash}`,
  `pbkdf2_sha256$600000$salt$${Buffer.alloc(32, 7).toString("base64")}`,
  `pbkdf2_sha1$600000$salt$${Buffer.alloc(20, 7).toString("base64")}`,
  `scrypt$16384$salt$8$5$${Buffer.alloc(64, 7).toString("base64")}`,
  `bcrypt_sha256$$2b$12$${"N".repeat(53)}`,
  `md5$salt$${"0".repeat(32)}`,
  "!unusable",
  "",
];

/** Values of the password hash column, which an import may have filled. */
export const storedHash: FuzzTarget = {
  name: "a stored hash",
  inputs: mutationsOf(seeds, ["$", "m=", "t=", "p=", ",", "4294967295", "-1", "1e9"]),
  async check(encoded) {
    const parsed = parseStoredHash(encoded, { acceptMd5: true });
    if (parsed.outcome === "refused" && encoded.length > 40) expect(parsed.reason).not.toContain(encoded);
    // Only cheap hashes are verified. Others may take as long as the limits allow.
    if (parsed.outcome === "own" && parsed.hash.memoryCost <= 64 && parsed.hash.timeCost <= 2) {
      const match = await hasher.verify(encoded, "a wrong one").catch((error: unknown) => {
        expect(error).toMatchObject({ code: "unavailable", cause: expect.any(Error) });
        return null;
      });
      expect(match).toBeNull();
    }
  },
};
