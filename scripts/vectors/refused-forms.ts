import { tooLong } from "./accepted-tokens.ts";
import { toDerSignature, toNumber } from "./ecdsa.ts";
import {
  type Changes,
  type configuration,
  encode,
  forge,
  headerText,
  hmac,
  type Parts,
  payloadText,
  signEncoded,
  withUnusedBit,
} from "./forge.ts";
import { ec, ed, foreignEc, nextEc, others, rsa } from "./keys.ts";
import { rsaPem, signPkcs1, signPss } from "./rsa.ts";

/** A token that must be refused. */
export interface RefusedToken {
  readonly name: string;
  readonly configuration?: Partial<typeof configuration>;
  readonly token: string;
  /** Default: `Token is invalid`. */
  readonly message?: string;
}

const withParts = (name: string, parts: Parts): RefusedToken => ({ name, token: forge(parts) });

/** A header parameter beside a genuine signature. */
const withHeader = (name: string, header: Changes): RefusedToken => withParts(name, { header });

const good = forge();
const [first = "", second = "", third = ""] = good.split(".");

/** The order of Ed25519's points: S + L is another number with the same meaning, which RFC 8032 §5.1.7 forbids. */
const edOrder = 2n ** 252n + 27742317777372353535851937790883648493n;

function withLargeS(signature: Buffer): Buffer {
  const s = toNumber(Buffer.from(signature.subarray(32)).reverse()) + edOrder;
  const bytes = Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse();
  return Buffer.concat([signature.subarray(0, 32), bytes]);
}

function withFlippedBit(signature: Buffer): Buffer {
  const copy = Buffer.from(signature);
  copy[10] = (copy[10] ?? 0) ^ 1;
  return copy;
}

/** Returns a token whose s begins with a zero byte, which its signature lacks. */
function withShortS(): RefusedToken {
  for (let i = 0; ; i++) {
    const parts = { payload: { i } };
    const s = forge({ ...parts, signature: (bytes) => bytes.subarray(32) }).split(".")[2] ?? "";
    if (Buffer.from(s, "base64url")[0] !== 0) continue;
    const signature = (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 32), bytes.subarray(33)]);
    return withParts("ES256 without the zero byte at the start of s", { ...parts, signature });
  }
}

const zero = Buffer.alloc(1);
const ps256 = others.find(({ alg }) => alg === "PS256") ?? rsa;
const es384 = others.find(({ alg }) => alg === "ES384") ?? ec;

/** A payload text of a length that leaves unused bits in base64url. */
const paddedPayload = () => {
  const text = payloadText();
  return text.padEnd(text.length + ((4 - (text.length % 3)) % 3 || 3));
};

/** Returns tokens that are refused because of their form, header or signature. All but the last group are correctly signed. */
export function refusedForms(): RefusedToken[] {
  return [
    // The compact serialization.
    { name: "two parts", token: `${first}.${second}` },
    { name: "four parts", token: `${good}.${third}` },
    { name: "an empty signature", token: `${first}.${second}.` },
    { name: "an empty payload", token: signEncoded(`${first}.`) },
    { name: "a line break after the token", token: `${good}\n` },
    { name: "padding after the signature", token: `${good}==` },
    { name: "padding in the payload", token: signEncoded(`${first}.${encode(paddedPayload())}==`) },
    {
      name: "a payload in the alphabet of base64",
      token: signEncoded(
        `${first}.${Buffer.from(payloadText().replace("{", '{"a":"~~~>>>???",')).toString("base64").replaceAll("=", "")}`,
      ),
    },
    {
      name: "a payload with an unused bit that is set",
      token: signEncoded(`${first}.${withUnusedBit(encode(paddedPayload()))}`),
    },
    { name: "a signature with an unused bit that is set", token: `${first}.${second}.${withUnusedBit(third)}` },
    { name: `${tooLong.length} characters, more than 8192`, token: tooLong },

    // JSON.
    withParts("a header that begins with a byte order mark", { header: `\ufeff${headerText()}` }),
    withParts("a payload that begins with a byte order mark", { payload: `\ufeff${payloadText()}` }),
    withParts("a header that isn't JSON", { header: "alg=ES256" }),
    withParts("a header that is a list", { header: `[${headerText()}]` }),
    withParts("alg twice in the header", { header: headerText().replace("{", '{"alg":"none",') }),
    withParts("the same member twice inside the header", { header: headerText().replace("}", ',"x":{"y":1,"y":1}}') }),
    withParts("a payload that is a list", { payload: "[]" }),
    withParts("a payload with NaN", { payload: payloadText().replace("}", ',"x":NaN}') }),
    withParts("a payload with a trailing comma", { payload: payloadText().replace("}", ",}") }),
    withParts("a payload with text after the object", { payload: `${payloadText()}{}` }),
    withParts("a payload with invalid UTF-8", {
      payload: Buffer.from(payloadText().replace("}", ',"x":"\xff"}'), "latin1"),
    }),
    withParts("user_id twice in the payload", { payload: payloadText().replace("}", ',"user_id":"1"}') }),
    withParts("user_id twice in the payload, once with an escape", {
      payload: payloadText().replace("}", ',"user\\u005fid":"1"}'),
    }),

    // The header.
    withHeader("alg none", { alg: "none" }),
    withHeader("alg in lower case", { alg: "es256" }),
    withHeader("no alg", { alg: undefined }),
    withHeader("alg of another key of the set", { alg: "RS256" }),
    withHeader("kid of another key of the set, with its alg", { alg: "EdDSA", kid: ed.kid }),
    withHeader("kid of another key of the set, with the same alg", { kid: nextEc.kid }),
    withHeader("an unknown kid: 401 if your keys are current, see keyVersions", { kid: "r1" }),
    withHeader("kid as a number", { kid: 1 }),
    withHeader("no kid: two keys of the set have this alg", { kid: undefined }),
    withParts("no kid: one key of the set has this alg", { key: ed, header: { kid: undefined } }),
    withHeader("an empty kid", { kid: "" }),
    withHeader("crit", { crit: ["exp"] }),
    withHeader("b64", { b64: true }),
    withHeader("jwk: the key that signed, which is in the set", { jwk: ec.jwk }),
    withHeader("jku", { jku: "https://id.example/.well-known/jwks.json" }),
    withHeader("x5c", { x5c: ["MIIB"] }),
    withHeader("x5u", { x5u: "https://id.example/cert.pem" }),
    withHeader("typ at+jwt without the profile rfc9068", { typ: "at+jwt" }),
    {
      ...withHeader("typ application/at+jwt with the profile rfc9068", { typ: "application/at+jwt" }),
      configuration: { accessTokenProfile: "rfc9068" },
    },
    withHeader("typ of another kind of token", { typ: "logout+jwt" }),
    withHeader("typ null", { typ: null }),

    // The signature.
    withParts("the signature of a foreign key, under the kid of one of the set", {
      header: { kid: ec.kid },
      key: foreignEc,
    }),
    withParts("the signature of a foreign key, which the header brings along", {
      header: { jwk: foreignEc.jwk },
      key: foreignEc,
    }),
    withParts("HS256 with the public key's PEM as the secret", {
      key: rsa,
      header: { alg: "HS256" },
      signature: hmac(rsaPem),
    }),
    withParts("HS256 with the public key's x as the secret", {
      header: { alg: "HS256" },
      signature: hmac(Buffer.from(ec.jwk["x"] ?? "", "base64url")),
    }),
    withParts("HS256 under RS256's name", { key: rsa, signature: hmac(rsaPem) }),
    {
      name: "another payload under the same signature",
      token: `${first}.${encode(payloadText().replace('"42"', '"43"'))}.${third}`,
    },
    withParts("ES256 with a flipped bit", { signature: withFlippedBit }),
    withParts("EdDSA with a flipped bit", { key: ed, signature: withFlippedBit }),
    withParts("RS256 with a flipped bit", { key: rsa, signature: withFlippedBit }),
    withParts("ES256 in DER", {
      signature: (bytes) => toDerSignature(toNumber(bytes.subarray(0, 32)), toNumber(bytes.subarray(32))),
    }),
    withParts("ES256 with r and s 0", { signature: () => Buffer.alloc(64) }),
    withParts("ES256 with a byte too many", { signature: (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]) }),
    withParts("ES256 with a zero byte before s", {
      signature: (bytes) => Buffer.concat([bytes.subarray(0, 32), zero, bytes.subarray(32)]),
    }),
    withParts("ES256 with a zero byte before r and one before s", {
      signature: (bytes) => Buffer.concat([zero, bytes.subarray(0, 32), zero, bytes.subarray(32)]),
    }),
    withShortS(),
    withParts("ES384 with a zero byte before s", {
      key: es384,
      signature: (bytes) => Buffer.concat([bytes.subarray(0, 48), zero, bytes.subarray(48)]),
    }),
    withParts("PS256 with a salt of 20 bytes", { key: ps256, signature: (_, text) => signPss("sha256", text, 20) }),
    withParts("PS256 without a salt", { key: ps256, signature: (_, text) => signPss("sha256", text, 0) }),
    withParts("PS256 with the hash of PS384", { key: ps256, signature: (_, text) => signPss("sha384", text) }),
    withParts("RS256 under the name and kid of PS256", {
      key: ps256,
      signature: (_, text) => signPkcs1("sha256", text),
    }),
    withParts("PS256 under the name and kid of RS256", { key: rsa, signature: (_, text) => signPss("sha256", text) }),
    withParts("EdDSA with an S that is too large", { key: ed, signature: withLargeS }),
    withParts("RS256 with a zero byte before it", {
      key: rsa,
      signature: (bytes) => Buffer.concat([Buffer.alloc(1), bytes]),
    }),
  ];
}
