import { createHmac } from "node:crypto";
import { configuration, encode, forge, goodClaims } from "./forge.ts";
import type { RefusedToken } from "./refused-forms.ts";

const { now } = configuration;

const withClaim = (name: string, claim: string, value: unknown, message?: string): RefusedToken => ({
  name,
  token: forge({ payload: { [claim]: value } }),
  ...(message === undefined ? {} : { message }),
});

/** A claim as JSON text that no value has: `1.0e3`, or more digits than a double holds. */
const withText = (name: string, claim: keyof typeof goodClaims, text: string): RefusedToken => ({
  name,
  token: forge({ payload: JSON.stringify({ ...goodClaims, [claim]: "?" }).replace('"?"', text) }),
});

/** A refresh token: its own key signs it, which is in no set. The secret of this one is known to everyone. */
function refreshToken(): string {
  const { ge: _, iss: _iss, aud: _aud, ...claims } = goodClaims;
  const payload = { ...claims, token_type: "refresh", gen: 7, secret: "A".repeat(43) };
  const signed = `${encode({ alg: "HS256", typ: "JWT", kid: "r1" })}.${encode(payload)}`;
  return `${signed}.${createHmac("sha256", "tokenpair vectors: the refresh key").update(signed).digest("base64url")}`;
}

const expired = "Token is expired";

/** Returns tokens that are correctly signed and refused because of a claim. */
export function refusedClaims(): RefusedToken[] {
  return [
    withClaim("exp 30 s ago: the leeway of 30 s is over", "exp", now - 30, expired),
    withClaim("exp a day ago", "exp", now - 86_400, expired),
    withClaim("no exp", "exp", undefined, "Token has no 'exp' claim"),
    withClaim("exp null", "exp", null),
    withClaim("exp as a string", "exp", String(goodClaims.exp)),
    withClaim("exp with a fraction", "exp", now + 1_200.5),
    withClaim("exp true", "exp", true),
    withClaim("exp below 0", "exp", -1),
    withText("exp above 2^53 - 1", "exp", "9007199254740992"),
    withText("exp beyond every number", "exp", "1e400"),
    withClaim("iat 61 s in the future", "iat", now + 61),
    withClaim("no iat", "iat", undefined),
    withClaim("iat as a string", "iat", String(now)),
    withClaim("nbf 61 s in the future", "nbf", now + 61),
    withClaim("nbf as a string", "nbf", String(now)),

    withClaim("no iss", "iss", undefined),
    withClaim("another iss", "iss", "https://other.example"),
    withClaim("iss with a slash at its end", "iss", `${configuration.issuer}/`),
    withClaim("iss as a list", "iss", [configuration.issuer]),
    withClaim("no aud", "aud", undefined),
    withClaim("another aud", "aud", "other"),
    withClaim("aud that begins with the audience", "aud", "api2"),
    withClaim("aud as an empty list", "aud", []),
    withClaim("aud as a list without the audience", "aud", ["other", "api2"]),
    withClaim("aud as a list that doesn't consist of strings", "aud", ["api", 1]),
    withClaim("aud as an object", "aud", { api: "api" }),

    withClaim("no token_type", "token_type", undefined, "Token has no type"),
    withClaim("token_type refresh", "token_type", "refresh", "Token has wrong type"),
    withClaim("token_type in another case", "token_type", "Access", "Token has wrong type"),
    withClaim("token_type as a list", "token_type", ["access"]),
    { name: "a refresh token", token: refreshToken() },

    withClaim("no jti", "jti", undefined, "Token has no id"),
    withClaim("jti as a number", "jti", 5),
    withClaim("jti empty", "jti", ""),
    withClaim("no sid", "sid", undefined),
    withClaim("sid as a number", "sid", 7),
    withClaim("sid empty", "sid", ""),
    withClaim("no user_id", "user_id", undefined, "Token contained no recognizable user identification"),
    withClaim("user_id as a number", "user_id", 42),
    withClaim("user_id empty", "user_id", ""),

    withText("user_id with a lone surrogate", "user_id", '"\\ud800"'),
    withText("sid with a lone surrogate", "sid", '"a\\udfff"'),
    withText("jti with a lone surrogate before an escaped backslash", "jti", '"\\ud800\\\\udc00"'),
    withClaim("user_id with NUL", "user_id", "4\0"),
    withClaim("user_id null", "user_id", null),
    withClaim("jti null", "jti", null),
    withClaim("token_type null", "token_type", null),
    {
      name: "the usual names of claims that the operator has renamed",
      configuration: { userIdClaim: "uid" },
      token: forge(),
      message: "Token contained no recognizable user identification",
    },
    withClaim("no ue", "ue", undefined),
    withClaim("ue as a string", "ue", "3"),
    withClaim("ue below 0", "ue", -1),
    withClaim("ue with a fraction", "ue", 2.5),
    withClaim("ue 2^31", "ue", 2 ** 31),
    withClaim("no ge", "ge", undefined),
    withClaim("ge null", "ge", null),
    withClaim("ge as a string", "ge", "1"),
    withClaim("ge 2^32", "ge", 2 ** 32),
  ];
}
