import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { AuthError, type SecondFactorRequest } from "../../src/core/errors.ts";
import type { Settings } from "../../src/core/settings/settings.ts";
import type { SecondStepAnswer } from "../../src/core/settings/user-settings.ts";
import type { AuthUser } from "../../src/core/user.ts";
import { login } from "../../src/flows/login.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import { type CompleteLoginOptions, completeLogin } from "../../src/flows/second-factor/complete.ts";
import { findTicket } from "../../src/flows/second-factor/ticket.ts";
import { revokeSessionsForUser } from "../../src/flows/sessions/sessions.ts";
import { authenticate } from "../../src/flows/tokens/authenticate.ts";
import { disableUser, setPassword } from "../../src/flows/users/users.ts";
import { alice, createTestAuth, type TestAuth, type TestAuthOptions, testStart } from "../support/auth.ts";
import { eventsOf, expectRefused, logIn, rowOf } from "./flow.ts";

const client = { ip: "192.0.2.7", userAgent: "Firefox" };
const otp = { methods: ["otp"] };

let auth: TestAuth;
afterEach(() => auth.close());

async function start(settings: Partial<Settings<AuthUser>> = {}, options: TestAuthOptions = {}): Promise<void> {
  auth = await createTestAuth({ ...options, settings: { afterPassword: () => otp, maxStaleness: 3_600, ...settings } });
}

/** Logs in by the password, and returns what the client gets for the second step. */
async function begin(options: Parameters<typeof logIn>[1] = {}): Promise<SecondFactorRequest> {
  const error = await logIn(auth, { client, ...options }).catch((reason: unknown) => reason);
  if (!(error instanceof AuthError) || error.secondFactor === undefined) throw error;
  return error.secondFactor;
}

const complete = (ticket: string, options: CompleteLoginOptions = { amr: ["otp"] }) =>
  completeLogin(auth.deps, ticket, { client, ...options });
const isRight = { verify: () => ["otp"] };
const isWrong = { verify: () => null };
const liveSessions = async () => (await auth.store.sessions.list({ limit: 100 })).sessions.length;

describe("a login with a second step", () => {
  it("is refused after the right password with a ticket and the methods, and starts no session", async () => {
    await start();
    const { ticket, ...request } = await begin();
    expect(ticket).toMatch(/^tpl_[A-Za-z0-9_-]{43}$/);
    expect(request).toEqual({ methods: ["otp"], expiresIn: 300 });
    expect(await liveSessions()).toBe(0);
    expect(await auth.store.users.findById(auth.user.id)).toMatchObject({ lastLoginAt: null });
    expect(auth.events.filter(({ type }) => type !== "user_changed")).toEqual([
      { type: "login_pending", time: testStart, userId: auth.user.id, client },
    ]);
  });

  it("keeps the ticket out of everything that may be logged", async () => {
    await start();
    const error = await logIn(auth).catch((reason: unknown) => reason as AuthError);
    const ticket = (error as AuthError).secondFactor?.ticket ?? "";
    const texts = [
      inspect(error, { showHidden: true, depth: 9 }),
      JSON.stringify(error),
      String((error as AuthError).stack),
    ];
    expect([...texts, JSON.stringify(auth.events)].filter((text) => text.includes(ticket))).toEqual([]);
  });

  it("needs no second step if the application says so", async () => {
    const answers: SecondStepAnswer[] = [null, undefined];
    for (const answer of answers) {
      await start({ afterPassword: () => answer });
      expect((await logIn(auth)).session.amr).toBe("pwd");
      await auth.close();
    }
    await start();
  });

  it("tells the application who logs in from where", async () => {
    const calls: unknown[] = [];
    await start({
      afterPassword: async (user, sender) => {
        calls.push([user.username, sender]);
        return null;
      },
    });
    await logIn(auth, { client });
    await expectRefused(login(auth.deps, { ...alice, password: "wrong" }), "no_active_account");
    expect(calls).toEqual([["alice", client]]);
  });

  it.each([
    [{ methods: [] }],
    [{ methods: [""] }],
    [{ methods: "otp" }],
    [{ methods: [7] }],
    [{ methods: ["x".repeat(41)] }],
    [{ methods: Array(11).fill("otp") }],
    [{}],
    [true],
    ["otp"],
    [new Error("down")],
  ])("is refused as unavailable, and counts no attempt, if the application returns or throws %j", async (answer) => {
    const afterPassword = async () => {
      if (answer instanceof Error) throw answer;
      return answer as never;
    };
    await start({ afterPassword, loginFailuresBeforeDelay: 1, accountFailuresBeforeDelay: 1 });
    for (let n = 0; n < 3; n++) await expectRefused(logIn(auth, { client }), "unavailable");
    expect(await liveSessions()).toBe(0);
  });
});

describe("completeLogin", () => {
  it("starts the session, with the methods of both steps, and returns what a login returns", async () => {
    const greeted: unknown[] = [];
    await start({ onLoginSuccess: (user, sender) => void greeted.push([user.id, sender]) });
    const { ticket } = await begin({ remember: false });
    expect(greeted).toEqual([]);
    auth.clock.advance(60);
    auth.events.length = 0;
    const result = await complete(ticket, { amr: ["otp", "mfa"] });
    expect(greeted).toEqual([[auth.user.id, client]]);
    expect(result).toMatchObject({
      user: { id: auth.user.id, username: "alice" },
      session: { amr: "pwd otp mfa", authenticatedAt: testStart + 60, persistent: false, ...client },
      device: expect.any(String),
    });
    expect(await authenticate(auth.deps, result.pair.access)).toMatchObject({ amr: ["pwd", "otp", "mfa"] });
    expect((await refresh(auth.deps, result.pair.refresh)).outcome).toBe("rotated");
    const subject = { time: testStart + 60, userId: auth.user.id, sessionId: result.session.id, client };
    expect(eventsOf(auth, "login")).toEqual([{ type: "login", ...subject }]);
    const { entries } = await auth.store.audit.read({ after: null, limit: 10, type: "login" });
    expect(entries).toMatchObject([{ sessionId: result.session.id }]);
  });

  it("revokes the earlier session of the browser", async () => {
    let step: SecondStepAnswer = null;
    await start({ afterPassword: () => step });
    const earlier = await logIn(auth);
    step = otp;
    const { ticket } = await begin();
    const replaces = { userId: auth.user.id, sessionId: earlier.session.id };
    await complete(ticket, { amr: ["otp"], replaces });
    expect((await rowOf(auth, earlier.session.id)).revokeReason).toBe("replaced");
  });

  it("passes the user to the function that verifies", async () => {
    await start();
    const { ticket } = await begin();
    const seen: unknown[] = [];
    await complete(ticket, {
      verify: async (user) => {
        seen.push(user);
        return ["otp"];
      },
    });
    expect(seen).toEqual([expect.objectContaining({ id: auth.user.id, username: "alice" })]);
  });

  it("uses a ticket once", async () => {
    await start();
    const { ticket } = await begin();
    await complete(ticket);
    await expectRefused(complete(ticket), "ticket_invalid", { reason: "the ticket was used" });
    expect(await liveSessions()).toBe(1);
  });

  it("starts one session for 64 requests with one ticket at once", async () => {
    await start();
    const { ticket } = await begin();
    const attempts = await Promise.allSettled(Array.from({ length: 64 }, () => complete(ticket, isRight)));
    const [winner, ...others] = attempts.filter(({ status }) => status === "fulfilled");
    expect([winner?.status, others]).toEqual(["fulfilled", []]);
    const refusals = attempts.flatMap((attempt) => (attempt.status === "rejected" ? [attempt.reason.code] : []));
    expect(refusals.filter((code) => code !== "ticket_invalid" && code !== "throttled")).toEqual([]);
    expect(await liveSessions()).toBe(1);
  });

  it("refuses a wrong proof, which counts as a failed login, and allows five", async () => {
    await start({ loginFailuresBeforeDelay: 0, accountFailuresBeforeDelay: 0 });
    const failures: unknown[] = [];
    const { ticket } = await begin();
    auth.events.length = 0;
    for (let n = 0; n < 5; n++) {
      expect((await findTicket(auth.deps, ticket))?.attemptsLeft).toBe(5 - n);
      await expectRefused(complete(ticket, isWrong), "second_factor_invalid");
    }
    expect(await findTicket(auth.deps, ticket)).toBeNull();
    await expectRefused(complete(ticket, isRight), "ticket_invalid", { reason: /too many attempts/ });
    await expectRefused(complete(ticket), "ticket_invalid");
    const subject = { userId: auth.user.id, client };
    expect(eventsOf(auth, "login_failed")).toMatchObject(
      Array(5)
        .fill({ code: "second_factor_invalid", ...subject })
        .concat(Array(2).fill({ code: "ticket_invalid", client })),
    );
    expect(failures).toEqual([]);
    expect(await liveSessions()).toBe(0);
  });

  it("verifies at most five of 64 guesses at once", async () => {
    await start({ loginFailuresBeforeDelay: 0, accountFailuresBeforeDelay: 0, maxLoginFailures: 0 });
    const { ticket } = await begin();
    let verified = 0;
    const guess = () =>
      complete(ticket, {
        verify: () => {
          verified += 1;
          return null;
        },
      });
    await Promise.allSettled(Array.from({ length: 64 }, guess));
    expect(verified).toBe(5);
  });

  it("doesn't let the right password clear the count of wrong proofs", async () => {
    await start({ loginFailuresBeforeDelay: 5 });
    let wrong = 0;
    for (let round = 0; round < 3 && wrong < 5; round++) {
      const { ticket } = await begin();
      for (let n = 0; n < 3 && wrong < 5; n++, wrong++) {
        await expectRefused(complete(ticket, isWrong), "second_factor_invalid");
      }
    }
    await expectRefused(logIn(auth, { client }), "throttled");
    auth.clock.advance(5);
    // Who has waited for the first step needn't wait again for the second.
    const { ticket } = await begin();
    await complete(ticket, isRight);
    // A whole login has cleared the count.
    const { ticket: next } = await begin();
    for (let n = 0; n < 4; n++) await expectRefused(complete(next, isWrong), "second_factor_invalid");
  });

  it("makes someone who knows the password wait before every guess, no matter how many tickets there are", async () => {
    await start({ loginFailuresBeforeDelay: 1, loginDelay: 5 });
    const tickets = [await begin(), await begin(), await begin()];
    const guess = (n: number) => complete(tickets[n]?.ticket ?? "", isWrong);
    await expectRefused(guess(0), "second_factor_invalid");
    await expectRefused(guess(1), "throttled");
    await expectRefused(logIn(auth, { client }), "throttled");
    auth.clock.advance(5);
    const { ticket } = await begin();
    await expectRefused(complete(ticket, isWrong), "second_factor_invalid");
    auth.clock.advance(5);
    await expectRefused(guess(2), "throttled");
    await expectRefused(logIn(auth, { client }), "throttled");
    auth.clock.advance(5);
    expect((await complete(tickets[2]?.ticket ?? "", isRight)).user.id).toBe(auth.user.id);
  });

  it("throttles wrong proofs as failed logins, and takes no attempt from the ticket for that", async () => {
    await start({ loginFailuresBeforeDelay: 2 });
    const { ticket } = await begin();
    for (let n = 0; n < 2; n++) await expectRefused(complete(ticket, isWrong), "second_factor_invalid");
    await expectRefused(complete(ticket, isRight), "throttled");
    expect(await findTicket(auth.deps, ticket)).toMatchObject({ attemptsLeft: 3 });
    auth.clock.advance(5);
    expect((await complete(ticket, isRight)).user.id).toBe(auth.user.id);
  });

  it("counts nothing if the proof can't be verified", async () => {
    await start({ loginFailuresBeforeDelay: 1 });
    const { ticket } = await begin();
    for (const answer of [
      true,
      [],
      "otp",
      ["a b"],
      Array(8)
        .fill(0)
        .map((_, i) => `m${i}`),
    ]) {
      await expectRefused(complete(ticket, { verify: () => answer as never }), "unavailable");
    }
    await expectRefused(complete(ticket, { verify: () => Promise.reject(new Error("down")) }), "unavailable");
    expect(await findTicket(auth.deps, ticket)).toMatchObject({ attemptsLeft: 5 });
    expect((await complete(ticket, isRight)).user.id).toBe(auth.user.id);
  });

  it.each<[string, () => Promise<unknown>]>([
    ["a password that was set", () => setPassword(auth.deps, auth.user.id, "another horse battery")],
    ["a user who was disabled", () => disableUser(auth.deps, auth.user.id)],
    ["a logout everywhere", () => revokeSessionsForUser(auth.deps, auth.user.id)],
    ["a user who was deleted", () => auth.store.users.delete(auth.user.id)],
    ["five minutes", async () => auth.clock.advance(300)],
  ])("refuses a ticket after %s", async (_, change) => {
    await start();
    const { ticket } = await begin();
    await change();
    await expectRefused(complete(ticket), "ticket_invalid");
    expect(await liveSessions()).toBe(0);
  });

  it("accepts a ticket until the last second of its life", async () => {
    await start({ ticketLifetime: 60 });
    const { ticket, expiresIn } = await begin();
    expect(expiresIn).toBe(60);
    auth.clock.advance(59);
    expect(await findTicket(auth.deps, ticket)).toEqual({
      userId: auth.user.id,
      methods: ["otp"],
      expiresIn: 1,
      attemptsLeft: 5,
    });
    await complete(ticket);
  });

  it.each(["", "tpl_x", `tpl_${"x".repeat(43)}`, `tpl_${"x".repeat(44)}`, undefined as unknown as string])(
    "refuses the ticket %j",
    async (ticket) => {
      await start();
      await expectRefused(complete(ticket), "ticket_invalid");
      expect(await findTicket(auth.deps, ticket)).toBeNull();
    },
  );

  it.each<CompleteLoginOptions>([{}, { amr: ["otp"], verify: () => ["otp"] }, { amr: [] }, { amr: ["a b"] }])(
    "refuses the options %j as an error of the program",
    async (options) => {
      await start();
      const { ticket } = await begin();
      await expect(complete(ticket, options)).rejects.toThrow(/^completeLogin: /);
      expect(await findTicket(auth.deps, ticket)).toMatchObject({ attemptsLeft: 5 });
    },
  );
});

describe("completeLogin with an idempotency key", () => {
  const idempotencyKey = "k".repeat(22);
  const once = { ...isRight, idempotencyKey };

  it("answers a repeated request with the same session and refresh token, and verifies nothing", async () => {
    await start();
    const { ticket } = await begin();
    const first = await complete(ticket, once);
    auth.clock.advance(10);
    auth.events.length = 0;
    const second = await complete(ticket, { ...isWrong, idempotencyKey });
    expect(second.session.id).toBe(first.session.id);
    expect(second.pair.refresh).toBe(first.pair.refresh);
    expect(await authenticate(auth.deps, second.pair.access)).toMatchObject({ sessionId: first.session.id });
    expect(await liveSessions()).toBe(1);
    expect(auth.events).toEqual([]);
    expect((await refresh(auth.deps, second.pair.refresh)).outcome).toBe("rotated");
  });

  it("answers many requests at once with one session", async () => {
    await start({ loginFailuresBeforeDelay: 0, accountFailuresBeforeDelay: 0 });
    const { ticket } = await begin();
    const results = await Promise.all(Array.from({ length: 5 }, () => complete(ticket, once)));
    expect(new Set(results.map(({ pair }) => pair.refresh)).size).toBe(1);
    expect(await liveSessions()).toBe(1);
    expect(eventsOf(auth, "login_failed")).toEqual([]);
  });

  it("answers a request that is repeated before the first one is done, although its code was spent by it", async () => {
    await start();
    const { ticket } = await begin();
    let spent = 0;
    const repeat = async () => {
      spent += 1;
      if (spent > 1) return null;
      return ["otp"];
    };
    // The repeated request has found the ticket unused when it asks the application.
    let first: ReturnType<typeof complete> | undefined;
    const second = complete(ticket, {
      idempotencyKey,
      verify: async () => {
        first = complete(ticket, { idempotencyKey, verify: repeat });
        await first;
        return repeat();
      },
    });
    expect((await second).pair.refresh).toBe((await first)?.pair.refresh);
    expect(await liveSessions()).toBe(1);
    expect(eventsOf(auth, "login_failed")).toEqual([]);
  });

  it("refuses a repeated request of a user who may no longer have tokens", async () => {
    let isAllowed = true;
    await start({ userAuthenticationRule: () => isAllowed });
    const { ticket } = await begin();
    await complete(ticket, once);
    isAllowed = false;
    await expectRefused(complete(ticket, once), "ticket_invalid");
  });

  it.each<[string, (first: Awaited<ReturnType<typeof complete>>) => Promise<unknown>, string?]>([
    ["another key", async () => {}, "l".repeat(22)],
    ["a refresh, which proves that the answer arrived", (first) => refresh(auth.deps, first.pair.refresh)],
    ["a logout", (first) => auth.store.sessions.revoke(first.session.id, "logout")],
    ["the end of the ticket's life", async () => auth.clock.advance(300)],
    ["a new password", () => setPassword(auth.deps, auth.user.id, "another horse battery")],
  ])("refuses a repeated request after %s", async (_, change, key = idempotencyKey) => {
    await start();
    const { ticket } = await begin();
    await change(await complete(ticket, once));
    await expectRefused(complete(ticket, { ...isRight, idempotencyKey: key }), "ticket_invalid");
  });

  it("stores nothing from which the refresh token could be made", async () => {
    await start();
    const { ticket } = await begin();
    const { session, pair } = await complete(ticket, once);
    const row = JSON.stringify([await rowOf(auth, session.id), await auth.store.tickets.find(new Uint8Array(32))]);
    const { secret } = auth.deps.tokens.verifyRefresh(pair.refresh);
    expect(row).not.toContain(Buffer.from(secret).toString("base64url"));
    expect(row).not.toContain(idempotencyKey);
  });
});

describe("a second step of users of the application", () => {
  const ada: AuthUser = { id: "42", username: "ada", isActive: true };

  it("counts wrong proofs by the name that was typed, as logins do", async () => {
    await start({ findUser: () => ada, verifyCredentials: () => ada, loginFailuresBeforeDelay: 2 });
    const { ticket } = await begin();
    for (let n = 0; n < 2; n++) await expectRefused(complete(ticket, isWrong), "second_factor_invalid");
    await expectRefused(logIn(auth, { client }), "throttled");
    auth.clock.advance(5);
    expect((await complete(ticket, isRight)).user).toEqual(ada);
  });
});
