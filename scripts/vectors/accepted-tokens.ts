import { p256, toNumber } from "./ecdsa.ts";
import { configuration, encode, forge, goodClaims, headerText, type Parts, payloadText, signEncoded } from "./forge.ts";
import { ec, ed, nextEc, others, rsa, type VectorKey } from "./keys.ts";

/** A token that must be accepted. */
export interface AcceptedToken {
  readonly name: string;
  readonly configuration?: Partial<typeof configuration>;
  readonly token: string;
  /** The algorithm, if it isn't ES256. */
  readonly alg?: VectorKey["alg"];
  /** The claims in which it differs from the usual token. */
  readonly claims?: Partial<typeof goodClaims>;
}

const { now } = configuration;
const rfc9068 = { accessTokenProfile: "rfc9068" };
const renamed = { uid: goodClaims.user_id, id: goodClaims.jti, type: goodClaims.token_type };
const profiled = { sub: "42", client_id: "shop" };

/** Returns a token with other values of tokenpair's own claims. */
const withClaims = (name: string, claims: Partial<typeof goodClaims>): AcceptedToken => ({
  name,
  token: forge({ payload: claims }),
  claims,
});

const withParts = (name: string, parts: Parts): AcceptedToken => ({ name, token: forge(parts) });

/** Returns the longest token with at most this many characters, and the shortest with more. */
function forgeAround(most: number): readonly [fits: string, tooLong: string] {
  const forgeWith = (characters: number) => forge({ payload: { text: "x".repeat(characters) } });
  let characters = Math.floor(((most - forgeWith(0).length) * 3) / 4);
  while (forgeWith(characters).length <= most) characters++;
  return [forgeWith(characters - 1), forgeWith(characters)];
}

/** The longest token, and one that is longer by one byte of its payload. */
export const [longest, tooLong] = forgeAround(8_192);

const withUpperS = (signature: Buffer): Buffer =>
  Buffer.concat([signature.subarray(0, 32), p256.toBytes(p256.order - toNumber(signature.subarray(32)))]);

/** Returns the tokens that every verifier must accept. */
export function acceptedTokens(): AcceptedToken[] {
  return [
    withParts("ES256", {}),
    ...[ed, rsa, ...others].map((key) => ({ ...withParts(key.alg, { key }), alg: key.alg })),
    withParts("ES256 by another key of the set", { key: nextEc }),
    withParts("ES256 whose s is the larger of the two that are right", { signature: withUpperS }),
    withParts("header without typ", { header: { typ: undefined } }),
    withParts("header with typ in lower case", { header: { typ: "jwt" } }),
    withParts("header with unknown parameters", { header: { cty: "x", "example.com/a": [1, { b: null }] } }),
    withParts("header with the names of refused parameters inside another", {
      header: { x: { crit: ["exp"], jwk: {} } },
    }),
    withParts("header with white space", { header: ` {\n "alg" :"ES256",\t"kid":"${ec.kid}"\r\n} ` }),
    {
      name: "header whose alg and kid are written with escapes",
      token: signEncoded(`${encode(headerText().replace('"alg"', '"\\u0061lg"'))}.${encode(payloadText())}`),
    },
    withParts("unknown claims", {
      payload: {
        roles: ["admin", "staff"],
        tenant: { id: 7, name: "Zoë ✓ \u{1f600}", sid: "x" },
        note: null,
        rate: 1.5,
      },
    }),
    withParts("claims that later versions may add", { payload: { auth_time: now - 600, amr: ["pwd"], cell: "eu-1" } }),
    withParts("payload with white space and another order of the members", {
      payload: JSON.stringify(Object.fromEntries(Object.entries(goodClaims).reverse()), null, 2),
    }),
    withParts("the same member name in two different objects", {
      payload: payloadText().replace("{", '{"a":{"x":1,"exp":2},"b":[{"x":1},{"x":2}],"c":"\\":{\\"",'),
    }),
    withParts("aud as a list that contains the audience", { payload: { aud: ["other", "api"] } }),
    withClaims("user_id that isn't a number", { user_id: "auth0|Zoë ✓" }),
    {
      ...withClaims("user_id that is written with escapes of a surrogate pair", { user_id: "\u{1f600}" }),
      token: forge({ payload: payloadText().replace('"42"', '"\\ud83d\\ude00"') }),
    },
    {
      name: "claims that the operator has renamed",
      configuration: { userIdClaim: "uid", jtiClaim: "id", tokenTypeClaim: "type" },
      token: forge({ payload: { ...renamed, user_id: undefined, jti: undefined, token_type: undefined } }),
    },
    withClaims("epochs of 0", { ue: 0, ge: 0 }),
    withClaims("the largest epochs", { ue: 2 ** 31 - 1, ge: 2 ** 32 - 1 }),
    withClaims("exp in one second", { exp: now + 1 }),
    withClaims("exp now, which leeway allows", { exp: now }),
    withClaims("exp 29 s ago, the last second that a leeway of 30 s allows", { exp: now - 29 }),
    { ...withClaims("exp in one second, without leeway", { exp: now + 1 }), configuration: { leeway: 0 } },
    withClaims("iat 60 s in the future, the most that the tolerance allows", { iat: now + 60 }),
    withParts("nbf 60 s in the future, the most that the tolerance allows", { payload: { nbf: now + 60 } }),
    { name: `${longest.length} characters, at most 8192`, token: longest },
    {
      name: "the profile rfc9068",
      configuration: rfc9068,
      token: forge({ header: { typ: "at+jwt" }, payload: profiled }),
    },
    {
      name: "typ AT+JWT with the profile rfc9068",
      configuration: rfc9068,
      token: forge({ header: { typ: "AT+JWT" }, payload: profiled }),
    },
    {
      name: "typ JWT with the profile rfc9068: made before the issuer's setting changed",
      configuration: rfc9068,
      token: forge(),
    },
  ];
}
