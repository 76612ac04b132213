/**
 * A one-time code of an authenticator app (TOTP, RFC 6238) as the second step after the password:
 * `npm install && SIGNING_KEY=$(openssl rand -hex 48) node totp.ts`.
 * Pages use `POST /api/auth/login/` and `login/continue/ {"ticket", "code"}`, apps `POST /api/token/` and `continue/`. The database has a
 * user `alice` with the password below.
 */
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import express from "express";
import { Secret, TOTP } from "otpauth";
import { createAuth, type FactorAnswer, minutes } from "tokenpair";
import { authRoutes, requireUser } from "tokenpair/express";
import { sqliteStore } from "tokenpair/sqlite";

const store = sqliteStore("data/totp.db");
await store.migrate();

// Codes can't be computed from hashes, so the secrets are stored as they are. Encrypt them with a key outside the database.
const factors = new DatabaseSync("data/factors.db");
factors.exec(`PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS totp (user_id TEXT PRIMARY KEY, secret TEXT, pending TEXT, last_step INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE IF NOT EXISTS recovery (secret TEXT, hash BLOB, PRIMARY KEY (secret, hash))`);
const run = (sql: string, ...values: (string | number | Uint8Array)[]) => factors.prepare(sql).run(...values).changes;
const findSecrets = (userId: string) =>
  factors.prepare("SELECT secret, pending FROM totp WHERE user_id = ?").get(userId);

/** Returns the time step that a code belongs to: this one, or one before or after it. `null` if the code is wrong. */
function findStep(secret: unknown, code: string): number | null {
  if (typeof secret !== "string") return null;
  const [totp, timestamp] = [new TOTP({ secret }), Date.now()];
  const delta = totp.validate({ token: code, timestamp, window: 1 });
  return delta === null ? null : totp.counter({ timestamp }) + delta;
}

/** Accepts each code once: the statement also decides between requests at the same time. */
function spendCode(userId: string, code: string): boolean {
  const step = findStep(findSecrets(userId)?.["secret"], code);
  return (
    step !== null && run("UPDATE totp SET last_step = ? WHERE user_id = ? AND last_step < ?", step, userId, step) === 1
  );
}

const toHash = (code: string) => createHash("sha256").update(code.toUpperCase()).digest(); // enough for 80 random bits
const spendRecoveryCode = (userId: string, code: string) =>
  run(
    "DELETE FROM recovery WHERE hash = ? AND secret = (SELECT secret FROM totp WHERE user_id = ?)",
    toHash(code),
    userId,
  ) === 1;
const toCode = (value: unknown) => (typeof value === "string" ? value.replaceAll(/[\s-]/g, "") : "");
const isEnrolled = (userId: string) => typeof findSecrets(userId)?.["secret"] === "string";

const auth = createAuth({
  store,
  signingKey: process.env["SIGNING_KEY"] ?? "",
  afterPassword: (user) => (isEnrolled(user.id) ? { methods: ["otp", "recovery"] } : null),
  verifySecondFactor: (user, proof): FactorAnswer => {
    const code = toCode(proof["code"]);
    if (spendCode(user.id, code)) return ["otp", "mfa"];
    return spendRecoveryCode(user.id, code) ? ["recovery", "mfa"] : null;
  },
});
await auth.ready();
const password = "correct horse battery staple";
if ((await auth.users.findByName("alice")) === null) await auth.users.create({ username: "alice", password });

const app = express();
app.use(authRoutes(auth));
// A stolen session must not replace the factor: that needs a recent login and, if there is a factor already, a login with it.
app.use("/totp", requireUser(auth, { maxAge: minutes(10) }), express.json(), (req, res, next) => {
  const { userId, amr, actor } = req.auth;
  if (actor === null && (!isEnrolled(userId) || amr?.includes("mfa"))) return next();
  res.status(403).json({ detail: "Log in with your second factor first." });
});

/** Returns the address for the QR code, and the recovery codes. Both count as soon as the user confirms them with a code. */
app.post("/totp/enrol", ({ auth: { userId } }, res) => {
  const totp = new TOTP({ issuer: "Example", label: userId });
  const recoveryCodes = Array.from({ length: 8 }, () => new Secret({ size: 10 }).base32);
  const { base32: secret } = totp.secret;
  for (const code of recoveryCodes) run("INSERT INTO recovery (secret, hash) VALUES (?, ?)", secret, toHash(code));
  run("INSERT INTO totp (user_id, pending) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET pending = ?2", userId, secret);
  res.set("Cache-Control", "no-store").json({ uri: totp.toString(), recoveryCodes });
});

/** Replaces the factor by the pending one. A repeated request, whose first answer was lost, changes nothing. */
app.post("/totp/confirm", async (req, res) => {
  const { userId } = req.auth;
  const { secret, pending } = findSecrets(userId) ?? {};
  const code = toCode(req.body?.code);
  const step = findStep(pending ?? secret, code);
  if (step === null) return void res.status(400).json({ detail: "Wrong code." });
  const replace = "UPDATE totp SET secret = pending, pending = NULL, last_step = ? WHERE user_id = ? AND pending = ?";
  if (typeof pending === "string" && run(replace, step, userId, pending) === 1) {
    const confirmed = await auth.confirm(req.auth, { amr: ["otp", "mfa"] });
    for (const cookie of auth.toSetCookies(confirmed, req)) res.append("Set-Cookie", cookie);
    await auth.logout(req.auth, { scope: "others" }); // the sessions without the factor
  }
  res.sendStatus(204);
});
const server = app
  .listen(Number(process.env["PORT"] ?? 3000))
  .on("listening", () => console.log("listening", server.address()));
