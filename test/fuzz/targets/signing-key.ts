import { createPublicKey } from "node:crypto";
import { expect } from "vitest";
import { SettingError } from "../../../src/core/settings/setting-error.ts";
import { defaultSettings } from "../../../src/core/settings/settings.ts";
import { createHmacKey } from "../../../src/crypto/keys/hmac-key.ts";
import { exportKeyMaterial, generateKeyMaterial, toSigningKey } from "../../../src/crypto/keys/key-material.ts";
import { createKeySet } from "../../../src/crypto/keys/key-set.ts";
import { parseSigningKey } from "../../../src/crypto/keys/parse-signing-key.ts";
import { createTokens } from "../../../src/crypto/tokens/tokens.ts";
import { toCode } from "../../crypto/forge.ts";
import { mutationsOf } from "../mutations.ts";
import type { FuzzTarget } from "../target.ts";

const materials = [generateKeyMaterial("ES256"), generateKeyMaterial("EdDSA"), generateKeyMaterial("ES512")];
const publicPems = materials.map(({ key }) => createPublicKey(key).export({ type: "spki", format: "pem" }).toString());
const seeds = [
  ...materials.map((material) => exportKeyMaterial(material).toString()),
  ...materials.map(({ key }) => JSON.stringify({ ...key.export({ format: "jwk" }), use: "sig", key_ops: ["sign"] })),
  ...publicPems,
  publicPems[0]?.replaceAll(/-----.*-----|\n/g, "") ?? "",
];

/** Texts in the place of a signing key. */
export const signingKey: FuzzTarget = {
  name: "a signing key",
  inputs: mutationsOf(seeds, [
    "-----BEGIN ",
    "-----END ",
    "PRIVATE KEY-----",
    '"d":',
    '"kty":"oct"',
    '"alg":"HS256"',
    "\\n",
  ]),
  check(text) {
    let key: ReturnType<typeof parseSigningKey>;
    try {
      key = parseSigningKey(text);
    } catch (error) {
      expect(error, "a SettingError").toBeInstanceOf(SettingError);
      for (const line of text.split(/\s/).filter(({ length }) => length > 40))
        expect(String(error)).not.toContain(line);
      return;
    }
    const signer = toSigningKey(key, { use: "access" });
    expect(signer.verify("a.b", signer.sign("a.b"))).toBe(true);
    // A text that is known to everyone must never become a secret.
    if (key.publicKey === null) expect(() => createPublicKey(text)).toThrow();
  },
};

const now = 1_767_225_600;
const genuine: string[] = [];
const tokens = materials.map((material) => {
  const refresh = createHmacKey({ algorithm: "HS256", secret: "r".repeat(32), kid: "r1", use: "refresh" });
  const keys = createKeySet({ access: toSigningKey(material, { use: "access" }), refresh });
  const clock = { now: () => now, monotonic: () => 0, wall: () => now * 1_000 };
  const own = createTokens({ keys: () => keys, clock, settings: defaultSettings });
  const times = { issuedAt: now, expiresAt: now + 600 };
  genuine.push(own.mintAccess({ ...times, userId: "1", sessionId: "s", userEpoch: 0, globalEpoch: 0, claims: {} }));
  return own;
});

/** Tokens that were not signed with the private key. */
export const asymmetricToken: FuzzTarget = {
  name: "a token of a private key",
  inputs: mutationsOf(genuine, [".", "..", "=", "A", "_"]),
  check(text) {
    if (genuine.includes(text)) return;
    for (const { verifyAccess, verifyAny } of tokens) {
      for (const verify of [verifyAccess, verifyAny]) {
        expect(
          toCode(() => verify(text)),
          "an AuthError",
        ).toBeDefined();
      }
    }
  },
};
