import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkHistory } from "../../scripts/history/check.ts";
import { type HistoryEntry, parseHistory } from "../../scripts/history/format.ts";
import type { Judgement } from "../../scripts/history/judge.ts";
import type { Confirmation } from "../../src/core/revocation.ts";
import type { SessionSnapshot } from "../../src/core/store/sessions.ts";
import type { Confirmed } from "../../src/flows/commit.ts";
import type { Answer, Pair } from "./wire.ts";

type Entry<Op extends HistoryEntry["op"]> = Extract<HistoryEntry, { op: Op }>;

/** Milliseconds since the epoch on a clock that does not step. */
const now = () => performance.timeOrigin + performance.now();

export interface Token {
  readonly text: string;
  /** False: forged. Default: true. */
  readonly genuine?: false;
}

export type Recorder = ReturnType<typeof createRecorder>;

/** Asks servers, and writes down every request and its answer: docs/correctness.md has the format. */
export function createRecorder(settings: Omit<Entry<"settings">, "op">, patience = 60_000) {
  const entries: HistoryEntry[] = [{ op: "settings", ...settings }];

  const toText = () => entries.map((entry) => JSON.stringify(entry)).join("\n");

  /** One request; null where there was no answer. */
  async function ask(url: string, init: RequestInit) {
    const start = now();
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(patience) })
      .then(
        async (response): Promise<Answer> => ({
          status: response.status,
          body: await response.json(),
          replayed: response.headers.get("Token-Replayed") === "true",
        }),
      )
      .catch(() => null);
    return { answer, times: { start, end: now(), node: new URL(url).port } };
  }

  const post = (url: string, body: object, headers: Record<string, string> = {}) =>
    ask(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  return {
    entries,
    count: (matches: (entry: HistoryEntry) => boolean) => entries.filter(matches).length,

    async login(url: string, user: string, credentials: { readonly username: string; readonly password: string }) {
      const { answer, times } = await post(`${url}/api/token/`, credentials);
      const outcome = toOutcome(answer);
      entries.push({
        op: "login",
        ...times,
        user,
        outcome,
        ...(outcome === "ok" ? toGiven(answer?.body as Pair) : {}),
      });
      return answer;
    },

    /** A login that the library has done, not a server. */
    async issue(user: string, issue: () => Promise<Pair>): Promise<Pair | null> {
      const start = now();
      const pair = await issue().catch(() => null);
      const outcome = pair === null ? "unknown" : "ok";
      entries.push({ op: "login", start, end: now(), user, outcome, ...(pair === null ? {} : toGiven(pair)) });
      return pair;
    },

    async refresh(url: string, { text, genuine }: Token, attempt: string | null = null, client?: string) {
      const headers: Record<string, string> = attempt === null ? {} : { "Idempotency-Key": attempt };
      const { answer, times } = await post(`${url}/api/token/refresh/`, { refresh: text }, headers);
      const outcome = toOutcome(answer);
      const { sid, gen, exp } = readClaims(text);
      entries.push({
        op: "refresh",
        ...times,
        client,
        genuine,
        token: { sid, gen, exp },
        attempt: attempt === null ? null : createHash("sha256").update(attempt).digest("hex").slice(0, 16),
        outcome: outcome !== "ok" ? outcome : answer?.replayed ? "replayed" : "rotated",
        ...(outcome === "ok" ? toGiven(answer?.body as Pair) : {}),
      });
      return answer;
    },

    async logout(url: string, { text, genuine }: Token) {
      const { answer, times } = await post(`${url}/api/token/blacklist/`, { refresh: text });
      const { sid } = readClaims(text);
      entries.push({ op: "end", ...times, how: "logout", genuine, sid, outcome: toOutcome(answer) });
      return answer;
    },

    /** The end of all of a user's sessions, or the user's return, which the library does; whether it was acknowledged. */
    async change(how: "disable" | "enable", user: string, change: () => Promise<unknown>): Promise<boolean> {
      const start = now();
      const result = await change().catch(() => null);
      const outcome = result === null ? "unknown" : "ok";
      const line = { start, end: now(), user, outcome } as const;
      entries.push(how === "enable" ? { op: "enable", ...line } : { op: "end", ...line, how, ...toConfirmed(result) });
      return outcome === "ok";
    },

    /** The end of one session, which the library does. @returns how it was confirmed. */
    async end(sid: string, end: () => Promise<unknown>): Promise<Confirmation | undefined> {
      const start = now();
      const confirmed = toConfirmed(await end());
      entries.push({ op: "end", start, end: now(), how: "revoke", sid, outcome: "ok", ...confirmed });
      return confirmed.confirmed;
    },

    /** Asks whether an access token is in force, which a server knows from memory; the status, 0 for none. */
    async access(url: string, { text, genuine }: Token): Promise<number> {
      const { answer, times } = await post(`${url}/api/token/verify/`, { token: text });
      const { sid } = readClaims(text);
      entries.push({ op: "access", ...times, genuine, sid, outcome: toOutcome(answer) });
      return answer?.status ?? 0;
    },

    /** A request with an access token to a node in this process. */
    async ask(text: string, authenticate: () => Promise<Entry<"access">["outcome"]>) {
      const start = now();
      const outcome = await authenticate();
      entries.push({ op: "access", start, end: now(), sid: readClaims(text).sid, outcome });
      return outcome;
    },

    async fault(what: string, work: () => Promise<unknown>): Promise<void> {
      const start = now();
      await work();
      entries.push({ op: "fault", what, start, end: now() });
    },

    /** How the database has a session; `announced` says whether its end is in the feed. */
    row(sid: string, found: SessionSnapshot | null, announced: boolean): void {
      const at = now();
      if (found === null) return void entries.push({ op: "row", at, sid, missing: true });
      const { generation: gen, absoluteExpiresAt: absolute, revokeReason: reason } = found.session;
      entries.push({ op: "row", at, sid, gen, absolute, reason, announced });
    },

    /** What the audit log has an entry of. */
    audit(event: Entry<"audit">["event"], sid: string, gen?: number): void {
      entries.push({ op: "audit", event, sid, ...(gen === undefined ? {} : { gen }) });
    },

    /** The ids of all sessions that were given. */
    sessions(): readonly string[] {
      return [...new Set(entries.flatMap((entry) => (entry.op === "login" ? (entry.given?.sid ?? []) : [])))];
    },

    /** Judges what was recorded. */
    check(): Judgement {
      return checkHistory(parseHistory(toText()));
    },

    /** As `check`, where all must hold. @throws Error that says what does not, and in which file the history is kept. */
    expectSound(): Judgement {
      const judgement = checkHistory(parseHistory(toText()));
      if (judgement.violations.length === 0) return judgement;
      const file = join(mkdtempSync(join(tmpdir(), "tokenpair-history-")), "history.jsonl");
      writeFileSync(file, toText());
      const found = judgement.violations.map(({ invariant, sentence, lines }) => `${invariant} ${sentence}: ${lines}`);
      throw new Error([`the history in ${file} is not sound:`, ...found].join("\n"));
    },
  };
}

export const createAttempt = () => randomBytes(16).toString("base64url");

/** The token with another signature. */
export function forge(token: string): Token {
  return { text: `${token.slice(0, token.lastIndexOf("."))}.${randomBytes(32).toString("base64url")}`, genuine: false };
}

function toConfirmed(result: unknown): Confirmed {
  const { confirmed } = (result ?? {}) as Confirmed;
  return confirmed === undefined ? {} : { confirmed };
}

function toOutcome(answer: Answer | null): "ok" | "refused" | "unknown" {
  if (answer === null || answer.status === 503) return "unknown";
  if (answer.status !== 200 && answer.status !== 401) throw new Error(`an answer with status ${answer.status}`);
  return answer.status === 200 ? "ok" : "refused";
}

function toGiven({ refresh, access }: Pair): Pick<Entry<"login">, "given"> {
  const { sid, gen, jti, exp } = readClaims(refresh);
  const { jti: accessJti, exp: accessExp } = readClaims(access);
  return { given: { sid, gen, jti, exp, access: { jti: accessJti, exp: accessExp } } };
}

function readClaims(token: string): { sid: string; gen: number; jti: string; exp: number } {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}
