import { ec, ed, others, rsa } from "./keys.ts";
import { generateWeakRsa } from "./rsa.ts";

/** The body of a JWK Set, and the keys in it that may verify a token. */
export interface KeySetVector {
  readonly name: string;
  readonly body: string;
  /** Sorted. Empty: the read has failed. */
  readonly kids: readonly string[];
}

type Members = Readonly<Record<string, unknown>>;

const set = (name: string, keys: readonly unknown[], ...kids: readonly string[]): KeySetVector => ({
  name,
  body: JSON.stringify({ keys }),
  kids: [...kids].sort(),
});

/** A set with a key that must be ignored, and one that is right. */
const without = (name: string, key: unknown) => set(name, [key, ed.jwk], ed.kid);

const changed = (jwk: Members, changes: Members): Members => ({ ...jwk, ...changes });

/** Returns sets that have keys which must be ignored. */
export function toKeySetVectors(): KeySetVector[] {
  const es256: Members = ec.jwk;
  const [es384 = ec] = others;
  return [
    set("three keys", [ec.jwk, ed.jwk, rsa.jwk], ec.kid, ed.kid, rsa.kid),
    set("a key without use", [changed(es256, { use: undefined })], ec.kid),
    set("a key with unknown members", [changed(es256, { x5t: "AA", "example.com/a": { b: 1 } })], ec.kid),
    { name: "a set with unknown members", body: JSON.stringify({ next: null, keys: [ec.jwk] }), kids: [ec.kid] },
    without("a key without kid", changed(es256, { kid: undefined })),
    without("a key with an empty kid", changed(es256, { kid: "" })),
    without("a key whose kid is a number", changed(es256, { kid: 1 })),
    without("a key without alg", changed(es256, { alg: undefined })),
    without("a key with an unknown alg", changed(es256, { alg: "ES999" })),
    without("a key for encryption", changed(es256, { use: "enc" })),
    without("a key with the alg of another type", changed(es256, { alg: "RS256" })),
    without("a key with the alg of another curve", changed(es384.jwk, { alg: "ES256" })),
    without("a key of an unknown type", changed(es256, { kty: "AKP" })),
    without("an HMAC secret", { kty: "oct", k: "AAAA", alg: "HS256", use: "sig", kid: "secret" }),
    without("a key without x", changed(es256, { x: undefined })),
    without("a key that is no point on its curve", changed(es256, { y: es256["x"] })),
    without("an RSA key of 1,024 bits", { ...generateWeakRsa(), use: "sig", alg: "RS256", kid: "weak" }),
    without("something that is no key", "key"),
    set("two keys with one kid: neither is used", [ec.jwk, changed(rsa.jwk, { kid: ec.kid }), ed.jwk], ed.kid),
    set("a key twice", [ec.jwk, ec.jwk, ed.jwk], ed.kid),
    set(
      "a key, and one with its kid that must be ignored",
      [ec.jwk, changed(rsa.jwk, { kid: ec.kid, alg: "X" }), ed.jwk],
      ed.kid,
    ),
    set("no keys, as an issuer with an HMAC key has it", []),
    set("no key that can be used", [changed(es256, { use: "enc" })]),
    { name: "no list of keys", body: '{"keys":{}}', kids: [] },
    { name: "no JSON", body: "<html>", kids: [] },
  ];
}
