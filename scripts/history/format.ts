import { z } from "zod";

/** The invariants of the design, by number. */
export const invariants = [
  "I1",
  "I2",
  "I3",
  "I4",
  "I5",
  "I6",
  "I7",
  "I8",
  "I9",
  "I10",
  "I11",
  "I12",
  "I13",
  "I14",
] as const;
export type Invariant = (typeof invariants)[number];

const name = z.string().min(1).max(200);
/** Milliseconds since the epoch, on a clock that does not step. */
const time = z.number().nonnegative();
/** Seconds since the epoch, as in a token. */
const second = z.int().nonnegative();
const generation = z.int().nonnegative();

/** When the request left and when its answer came, or was given up; `node` answered it. */
const request = { start: time, end: time, node: name.optional(), client: name.optional() };
/** `unknown`: no answer, or 503. What was asked for may have been done or not. */
const outcome = z.enum(["ok", "refused", "unknown"]);
/** False: the token was forged or damaged; session and generation are what it claims. */
const genuine = z.literal(false).optional();

/** The names that versions before 0.2 wrote, and what they are called now. A token of the same generation is not rotated. */
const renamed = { theft: "reuse_detected", renewed: "not_rotated", rotation_ignored: "not_rotated" } as const;

/** The audit log's entries that a history records. */
const auditedEvents = ["login", "rotation", "reuse_detected", "logout"] as const;
const audited = z.enum(auditedEvents).or(z.literal("theft").transform((name) => renamed[name]));

/** The result of a refresh. */
const refreshOutcome = z
  .enum(["rotated", "replayed", "not_rotated", "refused", "reuse_detected", "state_lost", "unknown"])
  .or(z.enum(["theft", "renewed", "rotation_ignored"]).transform((name) => renamed[name]));

/** What a pair says of itself. No token, only names; what was not recorded is absent. */
const given = z.strictObject({
  sid: name,
  gen: generation,
  jti: name.optional(),
  exp: second.optional(),
  access: z.strictObject({ jti: name, exp: second }).optional(),
});

const lines = {
  settings: z.strictObject({
    op: z.literal("settings"),
    /** Seconds. */
    reuseInterval: z.number().nonnegative(),
    /** Seconds. */
    sessionLifetime: z.number().positive().optional(),
    /** Milliseconds in which a healthy node knows of a revocation. */
    revocationBound: time,
    /** Milliseconds after which any node has failed closed. */
    maxStaleness: time,
    /** Milliseconds by which the clocks behind the times may differ. */
    clockSkew: time.default(0),
    /** What this history can be judged by. */
    invariants: z.array(z.enum(invariants)).readonly().default(invariants),
    /** What must be in the audit log. */
    audited: z.array(audited).readonly().default(auditedEvents),
  }),
  login: z.strictObject({ op: z.literal("login"), ...request, user: name, outcome, given: given.optional() }),
  refresh: z.strictObject({
    op: z.literal("refresh"),
    ...request,
    user: name.optional(),
    genuine,
    token: z.strictObject({ sid: name, gen: generation, exp: second.optional() }),
    /** The hash of the idempotency key; null: there was none; absent: not recorded. */
    attempt: name.nullable().optional(),
    outcome: refreshOutcome,
    given: given.optional(),
  }),
  /** A session, all of a user's but `except`, or all there are, were to be ended. */
  end: z.strictObject({
    op: z.literal("end"),
    ...request,
    how: z.enum(["logout", "revoke", "replaced", "disable", "delete", "password"]),
    genuine,
    sid: name.optional(),
    user: name.optional(),
    except: name.optional(),
    outcome,
    /** How the revocation was confirmed; absent: nobody asked for it. */
    confirmed: z.enum(["acks", "expiry", "pending"]).optional(),
  }),
  enable: z.strictObject({ op: z.literal("enable"), ...request, user: name, outcome }),
  /** A request with an access token. */
  access: z.strictObject({ op: z.literal("access"), ...request, genuine, sid: name, outcome }),
  /** How the database had the session at the time `at`. */
  row: z.strictObject({
    op: z.literal("row"),
    at: time,
    sid: name,
    missing: z.literal(true).optional(),
    gen: generation.optional(),
    absolute: second.optional(),
    reason: name.nullable().optional(),
    /** Whether the feed says that it has ended. */
    announced: z.boolean().optional(),
  }),
  /** An entry of the audit log. `gen` is that of the presented token. */
  audit: z.strictObject({
    op: z.literal("audit"),
    event: audited,
    sid: name,
    gen: generation.optional(),
  }),
  /** While this lasted, and until `end`, nodes may have been cut off from the database. */
  fault: z.strictObject({ op: z.literal("fault"), start: time, end: time, what: name }),
};

type Numbered<Op extends keyof typeof lines> = z.infer<(typeof lines)[Op]> & { readonly line: number };
export type SettingsLine = Numbered<"settings">;
export type LoginLine = Numbered<"login">;
export type RefreshLine = Numbered<"refresh">;
export type EndLine = Numbered<"end">;
export type EnableLine = Numbered<"enable">;
export type AccessLine = Numbered<"access">;
export type RowLine = Numbered<"row">;
export type AuditLine = Numbered<"audit">;
export type FaultLine = Numbered<"fault">;
export type Line =
  | SettingsLine
  | LoginLine
  | RefreshLine
  | EndLine
  | EnableLine
  | AccessLine
  | RowLine
  | AuditLine
  | FaultLine;

/** A line as it is written. */
export type HistoryEntry = z.input<(typeof lines)[keyof typeof lines]>;

const anyLine = z.discriminatedUnion("op", Object.values(lines) as [(typeof lines)["settings"]]);

/** What every signed token begins with, in base64url: `{"`. */
const tokenStart = /eyJ[\w-]+\.[\w-]+\./;

/**
 * Reads a history: JSON lines, of which the first are the settings.
 *
 * @throws TypeError that names the line, and never quotes one that holds a token.
 */
export function parseHistory(text: string): readonly [SettingsLine, ...Line[]] {
  const parsed: Line[] = [];
  for (const [index, source] of text.split("\n").entries()) {
    if (source.trim() === "") continue;
    const line = index + 1;
    if (tokenStart.test(source)) throw new TypeError(`line ${line} holds a token: a history names tokens by their jti`);
    parsed.push({ ...(parseLine(source, line) as Line), line });
  }
  const [settings] = parsed;
  if (settings?.op !== "settings") throw new TypeError("the first line of a history must be its settings");
  return parsed as unknown as readonly [SettingsLine, ...Line[]];
}

function parseLine(source: string, line: number): unknown {
  try {
    return anyLine.parse(JSON.parse(source));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : "is no JSON";
    throw new TypeError(`line ${line}: ${reason}`);
  }
}
