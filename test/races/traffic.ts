import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Nodes } from "../support/nodes.ts";
import { createAttempt, forge, type Recorder } from "../support/recorder.ts";
import type { Answer, Pair } from "../support/wire.ts";

const honest = 10;
const password = "correct horse battery staple";

/** More requests than the other clients have in flight: among so many answers is one for an honest client. */
export const moreThanOthers = 8;

/**
 * Starts clients of every kind, until `stop` is called. Each continues whatever is killed: it retries until it gets an answer,
 * an honest client with the same `Idempotency-Key`.
 */
export function startTraffic({ auth, addUser }: Nodes, recorder: Recorder, urls: readonly string[]) {
  let isOver = false;
  const anyUrl = () => urls[Math.floor(Math.random() * urls.length)] ?? "";

  async function untilAnswered<T>(send: () => Promise<T | null>): Promise<T> {
    for (;;) {
      const answer = await send();
      if (answer !== null) return answer;
      await sleep(50);
    }
  }

  const answered = (send: () => Promise<Answer | null>) =>
    untilAnswered(async () => {
      const answer = await send();
      return answer?.status === 503 ? null : answer;
    });

  const newUser = () =>
    untilAnswered(async () => {
      const username = `user ${randomBytes(6).toString("hex")}`;
      const id = await addUser(username, password).catch(() => null);
      return id === null ? null : { id, username, password };
    });

  const logIn = (user: string) => untilAnswered(() => recorder.issue(user, () => auth.issue(user) as Promise<Pair>));

  /** Refreshes with one idempotency key. Returns `null` if the session is over. */
  async function refresh({ refresh: text }: Pair, client: string): Promise<Pair | null> {
    const idempotencyKey = createAttempt();
    const { status, body } = await answered(() => recorder.refresh(anyUrl(), { text }, idempotencyKey, client));
    return status === 200 ? (body as Pair) : null;
  }

  async function stayLoggedIn(user: string, client: string): Promise<void> {
    let pair: Pair | null = null;
    for (let round = 0; !isOver; round++) {
      // Only the first time, unless an invariant is broken.
      pair ??= await logIn(user);
      if (round % 4 === 0) await recorder.access(anyUrl(), { text: pair.access });
      pair = await refresh(pair, client);
    }
  }

  async function logInAndOut(user: string): Promise<void> {
    while (!isOver) {
      const pair = await refresh(await logIn(user), "leaver");
      if (pair === null) continue;
      await answered(() => recorder.logout(anyUrl(), { text: pair.refresh }));
      await refresh(pair, "leaver");
      for (const url of urls) await recorder.access(url, { text: pair.access });
      await sleep(50);
    }
  }

  /** A thief has stolen the first token of every session, and presents it after two refreshes. */
  async function loseToken(user: string): Promise<void> {
    while (!isOver) {
      const stolen = await logIn(user);
      const second = await refresh(stolen, "victim");
      const third = second && (await refresh(second, "victim"));
      if (third === null) continue;
      await refresh(stolen, "thief");
      await refresh(third, "victim");
      for (const url of urls) await recorder.access(url, { text: third.access });
      await sleep(50);
    }
  }

  async function forgeTokens(user: string): Promise<void> {
    const pair = await logIn(user);
    while (!isOver) {
      await recorder.refresh(anyUrl(), forge(pair.refresh));
      await recorder.logout(anyUrl(), forge(pair.refresh));
      await recorder.access(anyUrl(), forge(pair.access));
      await sleep(50);
    }
    await refresh(pair, "owner");
  }

  /** Users log in while they are being disabled. */
  async function disableUsers(): Promise<void> {
    while (!isOver) {
      const { id, ...credentials } = await newUser();
      const early = await logIn(id);
      const racing = [0, 1].map(() => recorder.login(anyUrl(), id, credentials));
      await untilAnswered(async () => (await recorder.change("disable", id, () => auth.users.disable(id))) || null);
      for (const url of urls) await recorder.access(url, { text: early.access });
      const late = (await Promise.all(racing)).filter((answer) => answer?.status === 200);
      for (const pair of [early, ...late.map((answer) => answer?.body as Pair)]) await refresh(pair, "disabled");
      await recorder.change("enable", id, () => auth.users.enable(id));
      const again = await recorder.login(anyUrl(), id, credentials);
      if (again?.status === 200) await refresh(again.body as Pair, "enabled");
    }
  }

  async function run(): Promise<void> {
    const user = await newUser();
    await Promise.all([
      ...Array.from({ length: honest }, (_, i) => stayLoggedIn(user.id, `client ${i}`)),
      logInAndOut(user.id),
      logInAndOut(user.id),
      loseToken(user.id),
      forgeTokens(user.id),
      disableUsers(),
    ]);
  }

  const running = run();
  running.catch(() => {});
  return {
    /** Stops the clients. Fulfils when each has got its last answer. */
    stop(): Promise<void> {
      isOver = true;
      return running;
    },
  };
}
