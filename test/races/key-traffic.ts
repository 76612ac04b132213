import { setTimeout as sleep } from "node:timers/promises";
import { createAttempt } from "../support/recorder.ts";
import { type Pair, post } from "../support/wire.ts";

/** Milliseconds between two requests of a client. */
const pace = 25;

/** The tokens of a login. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Clients over several nodes whose keys change meanwhile, and the judge of every answer that they get. */
export interface KeyTraffic {
  /** Says that tokens of a key may be refused from now on. */
  retiring(kid: string): void;
  /** Says that every node must refuse tokens of a key from now on. */
  retired(kid: string): void;
  /** Logs in on one node, which must answer. */
  logIn(url: string): Promise<Pair>;
  /** Returns the status of a protected route on each node; 0 for no answer. */
  askEveryNode(access: string): Promise<readonly number[]>;
  /** What no client should have seen: one sentence each. */
  readonly faults: readonly string[];
  readonly counts: Readonly<Record<Counted, number>>;
  /** Stops the clients. Fulfils when each has got its last answer. */
  stop(): Promise<void>;
}

type Counted = "accepted" | "refused" | "refreshed" | "logins" | "unanswered";

/** Starts this many clients. Each stays logged in whatever happens: it repeats what wasn't answered. */
export function startKeyTraffic(urls: readonly string[], credentials: Credentials, clients: number): KeyTraffic {
  const faults: string[] = [];
  const counts = { accepted: 0, refused: 0, refreshed: 0, logins: 0, unanswered: 0 };
  const retiring = new Set<string>();
  const retired = new Set<string>();
  let isOver = false;
  const anyUrl = () => urls[Math.floor(Math.random() * urls.length)] ?? "";

  async function logIn(url: string): Promise<Pair> {
    const { status, body } = await post(`${url}/api/token/`, credentials);
    if (status !== 200) throw new Error(`the login was answered with ${status}`);
    counts.logins += 1;
    return body as Pair;
  }

  /** Asks a protected route, and judges the answer. */
  async function ask(url: string, access: string): Promise<number> {
    const kid = toKid(access);
    const mustBeRefused = retired.has(kid);
    const response = await fetch(`${url}/api/auth/me/`, { headers: { Authorization: `Bearer ${access}` } }).catch(
      () => null,
    );
    const text = await response?.text().catch(() => null);
    const status = response?.status ?? 0;
    if (status === 0 || status === 503) counts.unanswered += 1;
    else if (status === 200) {
      counts.accepted += 1;
      if (mustBeRefused) faults.push(`a token of the retired key ${kid} was accepted`);
    } else if (status === 401 && retiring.has(kid)) counts.refused += 1;
    else faults.push(`a token of the live key ${kid} was answered with ${status}: ${text}`);
    return status;
  }

  const askEveryNode = (access: string) => Promise.all(urls.map((url) => ask(url, access)));

  async function refresh({ refresh: token }: Pair): Promise<Pair> {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": createAttempt() };
    const init = { method: "POST", headers, body: JSON.stringify({ refresh: token }) };
    for (;;) {
      const response = await fetch(`${anyUrl()}/api/token/refresh/`, init).catch(() => null);
      const body = await response?.json().catch(() => null);
      if (response?.status === 200 && body !== null) {
        counts.refreshed += 1;
        return body as Pair;
      }
      if (response !== null && response.status !== 503) {
        const ended = response.headers.get("Session-Ended");
        faults.push(
          `a refresh token of ${toKid(token)} was answered with ${response.status}, Session-Ended: ${ended}: ${JSON.stringify(body)}`,
        );
        return logInSomewhere();
      }
      counts.unanswered += 1;
      await sleep(pace);
    }
  }

  async function logInSomewhere(): Promise<Pair> {
    for (;;) {
      const pair = await logIn(anyUrl()).catch(() => null);
      if (pair !== null) return pair;
      counts.unanswered += 1;
      await sleep(pace);
    }
  }

  /** Every client keeps its access token for another number of requests, so that tokens of every key are in use. */
  async function stayLoggedIn(client: number): Promise<void> {
    let pair = await logInSomewhere();
    for (let round = 1; !isOver; round++) {
      const statuses = await askEveryNode(pair.access);
      if (statuses.includes(401) || round % (1 + 4 * client) === 0) pair = await refresh(pair);
      await sleep(pace);
    }
  }

  async function logInAgainAndAgain(): Promise<void> {
    while (!isOver) {
      const { access } = await refresh(await logInSomewhere());
      await askEveryNode(access);
      await sleep(pace);
    }
  }

  const running = Promise.all([
    logInAgainAndAgain(),
    ...Array.from({ length: clients }, (_, client) => stayLoggedIn(client)),
  ]);
  running.catch(() => {});
  return {
    retiring: (kid) => void retiring.add(kid),
    retired: (kid) => void retired.add(kid),
    logIn,
    askEveryNode,
    faults,
    counts,
    async stop() {
      isOver = true;
      await running;
    },
  };
}

/** Returns the `kid` of a token, which isn't verified. */
export function toKid(token: string): string {
  return JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
}
