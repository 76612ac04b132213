import { setTimeout as sleep } from "node:timers/promises";
import type { Confirmation } from "../../src/core/revocation.ts";
import type { Confirmed } from "../../src/flows/commit.ts";
import type { Nodes } from "../support/nodes.ts";
import type { Recorder } from "../support/recorder.ts";
import type { Pair } from "../support/wire.ts";

/** Milliseconds after a confirmed answer at which every node is asked about the token: at once, and while a fault heals. */
const askedAfter = [0, 50, 400, 1_100];

/** Revokes sessions with confirmation, and asks every node about each token before and after the answer. */
export interface RevocationTraffic {
  /**
   * Revokes this many sessions, several at a time. Those that the database doesn't answer are repeated with others.
   *
   * @param toRevoke returns how the next one is revoked. Default: by the library.
   */
  revoke(count: number, toRevoke?: () => Revoke | undefined): Promise<void>;
  /** Revokes one session with `by`. @returns how it was confirmed; `null` if it wasn't answered. */
  revokeOne(by?: Revoke): Promise<Confirmation | null>;
  /** Waits for every answer of a node. Call it when no node is stopped any more. */
  settle(): Promise<void>;
  /** How many revocations were confirmed, by result. */
  readonly counts: Readonly<Record<Confirmation | "unanswered", number>>;
}

/** A process that accepts access tokens, in the test's own process. */
export interface Verifier {
  /** Returns whether it accepts an access token; `unknown` if it can't know. */
  readonly ask: (access: string) => Awaitable<"ok" | "refused" | "unknown">;
}

type Awaitable<T> = T | Promise<T>;

/** Revokes a session, and waits until that is confirmed. */
export type Revoke = (sessionId: string, pair: Pair) => Promise<Confirmed>;

/** What the traffic is about. */
export interface RevocationTrafficOptions {
  /** Whose sessions they are; or what returns it for each session. */
  readonly userId: string | (() => Promise<string>);
  readonly urls: readonly string[];
  /** Further processes that are asked about each token. Default: none. */
  readonly verifiers?: readonly Verifier[];
  /** How many revocations run at the same time. Default: 5. */
  readonly parallel?: number;
}

/** Creates the traffic of users over the nodes at `urls` and `verifiers`. */
export function createRevocationTraffic(
  { auth }: Pick<Nodes, "auth">,
  recorder: Recorder,
  { userId, urls, verifiers = [], parallel = 5 }: RevocationTrafficOptions,
): RevocationTraffic {
  const counts = { acks: 0, expiry: 0, pending: 0, unanswered: 0 };
  const asked = new Set<Promise<unknown>>();

  /** Not awaited: a stopped node answers when it is continued. */
  function ask({ access: text }: Pair): void {
    const answers = [
      ...verifiers.map((verifier) => recorder.ask(text, async () => verifier.ask(text))),
      ...urls.map((url) => recorder.access(url, { text })),
    ];
    for (const each of answers) {
      const answer: Promise<unknown> = each.finally(() => asked.delete(answer));
      asked.add(answer);
    }
  }

  async function askAgain(pair: Pair): Promise<void> {
    let last = 0;
    for (const after of askedAfter) {
      if (after > last) await sleep(after - last);
      last = after;
      ask(pair);
    }
  }

  async function revokeOne(by: Revoke = (id) => auth.sessions.revoke(id, { confirmed: true })) {
    const id = typeof userId === "string" ? userId : await userId().catch(() => null);
    if (id === null) return null;
    const pair = await recorder.issue(id, async () => (await auth.issue(id)) as Pair);
    if (pair === null) return null;
    ask(pair);
    const sessionId = toSessionId(pair);
    try {
      const confirmation = (await recorder.end(sessionId, () => by(sessionId, pair))) ?? "pending";
      counts[confirmation] += 1;
      const again = askAgain(pair).finally(() => asked.delete(again));
      asked.add(again);
      return confirmation;
    } catch {
      counts.unanswered += 1;
      return null;
    }
  }

  return {
    counts,
    revokeOne,

    async revoke(count, toRevoke = () => undefined) {
      let left = count;
      await Promise.all(
        Array.from({ length: parallel }, async () => {
          while (left > 0) {
            left -= 1;
            if ((await revokeOne(toRevoke())) !== null) continue;
            left += 1;
            await sleep(50);
          }
        }),
      );
    },

    async settle() {
      while (asked.size > 0) await Promise.all(asked);
    },
  };
}

const toSessionId = ({ refresh }: Pair): string =>
  JSON.parse(Buffer.from(refresh.split(".")[1] ?? "", "base64url").toString()).sid;
