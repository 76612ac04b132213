import { configuration, forge, goodClaims } from "./forge.ts";
import { type FrameParts, record, toFrame } from "./frame-bytes.ts";
import { example } from "./frames.ts";
import { published } from "./keys.ts";

/** A genuine token, and whether a table revokes it. */
export interface VerdictVector {
  readonly name: string;
  /** The frame that the table is made from. */
  readonly table: string;
  readonly token: string;
  /** The claims that decide. */
  readonly claims: Readonly<Record<"sid" | "jti" | "user_id", string> & Record<"ue" | "ge", number>>;
  readonly revoked: boolean;
}

/** A header `Authorization`, and the token in it or the refusal. */
export interface AuthorizationVector {
  /** `null`: the request has no such header. */
  readonly header: string | null;
  readonly token?: string;
  /** The `code` of the 401. */
  readonly code?: "not_authenticated" | "bad_authorization_header";
}

/** What a verifier answers in a certain state. */
export interface AnswerVector {
  readonly name: string;
  /** Whether it has read the vectors' keys. `behind`: the frame names another version. */
  readonly keys: "none" | "behind" | "current";
  readonly stale: boolean;
  /** The frame that the table is made from. */
  readonly table: string;
  readonly token: string;
  readonly status: 200 | 401 | 503;
  /** The contract's message in a 401. */
  readonly message?: string;
}

const { sid, jti } = goodClaims;
const until = configuration.now + 1_200;
const tableOf = (records: FrameParts["records"] = [], keyVersion = published.version): string =>
  toFrame({ full: true, t: 3_600_000, keyVersion, records });

type DecidingClaims = Partial<Pick<typeof goodClaims, "sid" | "jti" | "user_id" | "ue" | "ge">>;

function verdict(
  name: string,
  records: FrameParts["records"],
  revoked: boolean,
  claims: DecidingClaims = {},
): VerdictVector {
  const { iss: _, aud, exp, iat, token_type, ...deciding } = { ...goodClaims, ...claims };
  return { name, table: tableOf(records), token: forge({ payload: claims }), claims: deciding, revoked };
}

/** Returns tokens and tables. */
export function toVerdictVectors(): VerdictVector[] {
  const others = { sid: "0198a7f2-0000-7000-8000-000000000001", jti: "00".repeat(16), user_id: "43" };
  const raised = [record(`x:${sid}`, until, 4), record("u:42", until, 4)];
  return [
    verdict("an empty table", [], false),
    verdict("its session is revoked", [record(`s:${sid}`, until)], true),
    verdict("another session is revoked", [record(`s:${others.sid}`, until)], false),
    verdict("its jti is revoked", [record(`t:${jti}`, until)], true),
    verdict("another jti is revoked", [record(`t:${others.jti}`, until)], false),
    verdict("a session has its jti's text", [record(`s:${jti}`, until), record(`t:${sid}`, until)], false),
    verdict("its user's epoch is higher", [record("u:42", until, 4)], true),
    verdict("its user's epoch is the same", [record("u:42", until, 3)], false),
    verdict("its user's epoch is lower", [record("u:42", until, 2)], false),
    verdict("another user's epoch is higher", [record("u:43", until, 4)], false),
    verdict("its session is excepted from the epoch", raised, false),
    verdict("another session is excepted", raised, true, { sid: others.sid }),
    verdict(
      "its session is excepted from an earlier epoch only",
      [record(`x:${sid}`, until, 4), record("u:42", until, 5)],
      true,
    ),
    verdict(
      "its session is excepted from a later epoch",
      [record(`x:${sid}`, until, 5), record("u:42", until, 4)],
      false,
    ),
    verdict("its session is excepted, and revoked since", [...raised, record(`s:${sid}`, until)], true),
    verdict("its session is excepted, and its jti revoked", [...raised, record(`t:${jti}`, until)], true),
    verdict("an exception alone", [record(`x:${sid}`, until, 4)], false),
    verdict("a token of the new epoch", raised, false, { ue: 4, sid: others.sid }),
    verdict("the global epoch is higher", [record("a:", until, 2)], true),
    verdict("the global epoch is the same", [record("a:", until, 1)], false),
    verdict("the global epoch is higher, and its session excepted", [...raised, record("a:", until, 2)], true),
    verdict("a user_id beyond ASCII", [record("u:auth0|Zoë ✓", until, 4)], true, { user_id: "auth0|Zoë ✓" }),
    verdict("the largest epochs", [record("u:42", until, 2 ** 31 - 1), record("a:", until, 2 ** 32 - 1)], false, {
      ue: 2 ** 31 - 1,
      ge: 2 ** 32 - 1,
    }),
    verdict("an epoch above 2^31 is a large number, and not below 0", [record("a:", until, 2 ** 32 - 1)], true),
    verdict("the example of the page", example.records, true),
    verdict("the example of the page and a token of others", example.records, false, { ...others, ge: 2 }),
  ];
}

/** Returns headers. */
export function toAuthorizationVectors(): AuthorizationVector[] {
  return [
    { header: "Bearer a.b.c", token: "a.b.c" },
    { header: "bearer a.b.c", token: "a.b.c" },
    { header: "BEARER \t a.b.c", token: "a.b.c" },
    { header: null, code: "not_authenticated" },
    { header: "", code: "not_authenticated" },
    { header: "Basic YTpi", code: "not_authenticated" },
    { header: "a.b.c", code: "not_authenticated" },
    { header: "Bearera.b.c", code: "not_authenticated" },
    { header: "Bearer a.b.c \t ", token: "a.b.c" },
    { header: " \t", code: "not_authenticated" },
    { header: "Bearer ", code: "bad_authorization_header" },
    { header: "Bearer a.b.c, Bearer d.e.f", code: "bad_authorization_header" },
    { header: "Bearer", code: "bad_authorization_header" },
    { header: "Bearer a.b.c d", code: "bad_authorization_header" },
  ];
}

/** Returns answers in every state. */
export function toAnswerVectors(): AnswerVector[] {
  const good = forge();
  const unknownKid = forge({ header: { kid: "another" } });
  const forged = forge({ signature: () => Buffer.alloc(64, 1) });
  const expired = forge({ payload: { exp: configuration.now - 3_600 } });
  const empty = tableOf([]);
  const revoking = tableOf([record(`s:${sid}`, until)]);
  const invalid = { status: 401, message: "Token is invalid" } as const;
  const isExpired = { status: 401, message: "Token is expired" } as const;
  const ready = { keys: "current", stale: false, table: empty } as const;
  const behind = { keys: "behind", stale: false, table: tableOf([], "00000000") } as const;
  const none = { keys: "none", stale: false, table: empty } as const;
  return [
    { name: "everything is right", ...ready, token: good, status: 200 },
    {
      name: "the token is revoked",
      ...ready,
      table: revoking,
      token: good,
      status: 401,
      message: "Token is blacklisted",
    },
    { name: "the token is revoked and expired", ...ready, table: revoking, token: expired, ...isExpired },
    { name: "stale: a good token", ...ready, stale: true, token: good, status: 503 },
    {
      name: "stale: a token that the old table revokes",
      ...ready,
      stale: true,
      table: revoking,
      token: good,
      status: 503,
    },
    { name: "stale: a token that isn't a JWS", ...ready, stale: true, token: "garbage", ...invalid },
    { name: "stale: a forged token", ...ready, stale: true, token: forged, ...invalid },
    { name: "stale: an expired token", ...ready, stale: true, token: expired, ...isExpired },
    { name: "stale: an unknown kid, which may be a new key's", ...ready, stale: true, token: unknownKid, status: 503 },
    { name: "keys behind: a good token of a known key", ...behind, token: good, status: 200 },
    { name: "keys behind: an unknown kid", ...behind, token: unknownKid, status: 503 },
    { name: "keys behind: a forged token of a known key", ...behind, token: forged, ...invalid },
    {
      name: "keys behind: crit in the header",
      ...ready,
      keys: "behind",
      token: forge({ header: { crit: ["exp"], kid: "b" } }),
      ...invalid,
    },
    { name: "no keys: a good token", ...none, token: good, status: 503 },
    { name: "no keys: no kid", ...none, token: forge({ header: { kid: undefined } }), ...invalid },
    { name: "no keys: a token that isn't a JWS", ...none, token: "garbage", ...invalid },
    {
      name: "no keys: crit in the header",
      ...ready,
      keys: "none",
      token: forge({ header: { crit: ["exp"] } }),
      ...invalid,
    },
  ];
}
