import { afterEach, describe, expect, it } from "vitest";
import { createSecret } from "../../src/crypto/secrets.ts";
import { login } from "../../src/flows/login.ts";
import { changePassword } from "../../src/flows/passwords/change.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import { logout, logoutByRefreshToken } from "../../src/flows/sessions/logout.ts";
import { revokeAllSessions, revokeSession } from "../../src/flows/sessions/sessions.ts";
import { verify } from "../../src/flows/tokens/verify.ts";
import {
  createUser,
  deleteUser,
  disableUser,
  enableUser,
  setPassword,
  updateUser,
} from "../../src/flows/users/users.ts";
import { createLog } from "../../src/server/observe/log.ts";
import { alice, createTestAuth, type TestAuth } from "../support/auth.ts";
import { logIn } from "./flow.ts";

const passwords = ["wr0ng-pl4nted", "n3w-pl4nted-horse", "b0b-pl4nted", "r3set-pl4nted"] as const;
const [wrong, changed, ofBob, reset] = passwords;
const pepper = "pl4nted-pepper-of-this-test";
const idempotencyKey = "pl4ntedIdempotencyKey2";
const webhookSecret = "pl4nted0pl4nted0pl4nted0pl4nted0pl4nted0pl4n";

let auth: TestAuth;
afterEach(() => auth.close());

/** The texts of all errors, and all secrets that were used. */
interface Scenario {
  readonly errors: readonly string[];
  readonly secrets: readonly string[];
}

/** Does everything that can happen to a user and her sessions at least once. */
async function runEverything(): Promise<Scenario> {
  const webhook = { webhookUrl: "https://receiver.example/", webhookSecret };
  // Otherwise the clock that is moved below would make the feed stale, which is an event, too.
  const maxStaleness = 3_600;
  auth = await createTestAuth({ settings: { maxStaleness, passwordPeppers: [`p:${pepper}`], ...webhook } });
  const { deps } = auth;
  const errors: string[] = [];
  const tokens: string[] = [];
  const refusal = async (attempt: Promise<unknown>) => {
    const error: unknown = await attempt.then(
      () => new Error("was not refused"),
      (thrown: unknown) => thrown,
    );
    const { message, stack = "", reason } = error as Error & { reason: string };
    errors.push(message, stack, reason, JSON.stringify(error));
  };
  const keep = <T extends { readonly access: string; readonly refresh?: string }>(pair: T): T => {
    tokens.push(pair.access, pair.refresh ?? "");
    return pair;
  };

  const { session, pair } = await logIn(auth);
  keep(pair);
  await refusal(login(deps, { ...alice, password: wrong }));
  await refusal(refresh(deps, `${pair.refresh}x`));
  await refusal(verify(deps, `${pair.access}x`));
  const next = keep((await refresh(deps, pair.refresh, { idempotencyKey })).pair);
  keep((await refresh(deps, pair.refresh, { idempotencyKey })).pair);
  await refusal(verify(deps, pair.refresh));
  const lost = deps.tokens.mintRefresh({
    ...deps.tokens.verifyRefresh(pair.refresh),
    secret: createSecret(deps.random),
  });
  tokens.push(lost);
  await refusal(refresh(deps, lost));
  const own = { userId: auth.user.id, sessionId: session.id, newPassword: changed };
  await refusal(changePassword(deps, { ...own, currentPassword: wrong }));
  keep((await changePassword(deps, { ...own, currentPassword: alice.password })).pair);
  await refusal(refresh(deps, next.refresh as string));

  const stolen = keep((await login(deps, { ...alice, password: changed })).pair);
  await refresh(deps, stolen.refresh);
  auth.clock.advance(60);
  await refusal(refresh(deps, stolen.refresh));
  const left = await login(deps, { ...alice, password: changed });
  await logoutByRefreshToken(deps, keep(left.pair).refresh);
  await refusal(logoutByRefreshToken(deps, left.pair.refresh));
  await logout(deps, { userId: auth.user.id, sessionId: session.id }, { scope: "all" });
  await refusal(revokeSession(deps, session.id));
  await createUser(deps, { username: "bob", password: ofBob });
  await updateUser(deps, auth.user.id, { email: "alice@example.com" });
  await setPassword(deps, auth.user.id, reset);
  await disableUser(deps, auth.user.id);
  await refusal(login(deps, { ...alice, password: reset }));
  await enableUser(deps, auth.user.id);
  await revokeAllSessions(deps);
  await deleteUser(deps, auth.user.id);

  const { sessions } = await auth.store.sessions.list({ limit: 100 });
  const hashes = [session, ...sessions].map(({ currentHash }) => currentHash);
  const bytes = tokens.flatMap((token) => {
    const [, payload = ""] = token.split(".");
    const { secret = "" } = JSON.parse(Buffer.from(payload, "base64url").toString() || "{}");
    return secret === "" ? [] : [Buffer.from(secret, "base64url")];
  });
  const encoded = [...hashes, ...bytes].flatMap((each) => [
    Buffer.from(each).toString("hex"),
    Buffer.from(each).toString("base64url"),
    Buffer.from(each).toString("base64").slice(0, 40),
    [...each].join(","),
  ]);
  const signatures = tokens.map((token) => token.split(".")[2] ?? "");
  return {
    errors,
    secrets: [
      webhookSecret,
      alice.password,
      ...passwords,
      pepper,
      idempotencyKey,
      "$argon2",
      ...encoded,
      ...tokens,
      ...signatures,
    ],
  };
}

describe("the events of all flows together", () => {
  it("emits everything that happened once, in order", async () => {
    await runEverything();
    const names = auth.events.map((event) => {
      if (event.type === "refresh") return `refresh ${event.outcome}`;
      if (event.type === "user_changed") return `user ${event.change}`;
      if (event.type === "sessions_revoked") return `revoked ${event.reason}`;
      return event.type === "login_failed" ? `login_failed ${event.code}` : event.type;
    });
    expect(names).toEqual([
      "user created",
      "login",
      "login_failed no_active_account",
      "refresh refused",
      "refresh rotated",
      "refresh replayed",
      "refresh state_lost",
      "login_failed wrong_password",
      "user password_changed",
      "revoked password_changed",
      "refresh refused",
      "login",
      "refresh rotated",
      "revoked reuse",
      "refresh reuse_detected",
      "login",
      "revoked logout",
      "revoked logout",
      "user created",
      "user updated",
      "user password_changed",
      "revoked password_changed",
      "user disabled",
      "revoked user_disabled",
      "login_failed no_active_account",
      "user enabled",
      "revoked revoked",
      "user deleted",
      "revoked user_deleted",
    ]);
  });

  it("puts no password, token, secret, idempotency key or hash into events, entries, messages, log lines or errors", async () => {
    const { errors, secrets } = await runEverything();
    await auth.auditQueue.stop();
    const { entries } = await auth.store.audit.read({ after: null, limit: 1_000 });
    const messages = await auth.store.outbox.claim({ limit: 1_000, lease: 60 });
    const lines: string[] = [];
    const log = createLog({
      settings: auth.deps.settings,
      level: "debug",
      destination: { write: (line) => void lines.push(line) },
    });
    for (const event of auth.events) log.event(event);
    expect([entries.length, messages.length, lines.length].every((count) => count >= 3)).toBe(true);
    const written = [...auth.events, ...entries, ...messages].map((each) => JSON.stringify(each));
    const texts = [...errors, ...written, ...lines];
    expect(texts.length).toBeGreaterThan(120);
    for (const secret of secrets.filter((text) => text !== "")) {
      expect(texts.filter((text) => text.includes(secret))).toEqual([]);
    }
  });
});
