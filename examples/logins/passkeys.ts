/**
 * Passkeys in Express with SimpleWebAuthn: a user registers one, logs in with it without a name or a password, and confirms with
 * it that it is the user: `npm install && SIGNING_KEY=$(openssl rand -hex 48) node passkeys.ts`, then open
 * http://localhost:3000/. The browser's side is passkeys.html, the tables are in passkey-store.ts.
 */
import { randomUUID } from "node:crypto";
import * as webauthn from "@simplewebauthn/server";
import express, { type Request } from "express";
import { createAuth, minutes } from "tokenpair";
import { authRoutes, requireUser, sessionStarter } from "tokenpair/express";
import { sqliteStore } from "tokenpair/sqlite";
import { createAlice, page } from "./demo.ts";
import { addPasskey, findPasskey, listPasskeys, raiseCounter, remember, spend } from "./passkey-store.ts";

const { PORT = "3000", ORIGIN = `http://localhost:${PORT}` } = process.env;
const rpID = new URL(ORIGIN).hostname;

const store = sqliteStore("data/logins.db");
await store.migrate();
const auth = createAuth({ store, signingKey: process.env["SIGNING_KEY"] ?? "" });
await auth.ready();
await createAlice(auth);

const toExpected = (owner: string) => ({
  expectedChallenge: (challenge: string) => spend(owner, challenge),
  expectedOrigin: ORIGIN,
  expectedRPID: rpID,
});

/** Returns whose passkey has signed the owner's challenge, and how; `null` if none has. */
async function verify(response: webauthn.AuthenticationResponseJSON, owner: string) {
  const passkey = findPasskey(response?.id);
  if (passkey === null) return null;
  const options = { response, credential: passkey.credential, ...toExpected(owner) };
  const result = await webauthn.verifyAuthenticationResponse(options).catch(() => null);
  if (!result?.verified || !raiseCounter(passkey.credential.id, result.authenticationInfo.newCounter)) return null;
  // RFC 8176: a key of one device or a synchronized one, a person present, and a PIN or a biometric besides the key.
  const isOfOneDevice = result.authenticationInfo.credentialDeviceType === "singleDevice";
  return { userId: passkey.userId, amr: [isOfOneDevice ? "hwk" : "swk", "user", "mfa"] };
}
const toSignIn = (allowCredentials: { id: string }[]) =>
  webauthn.generateAuthenticationOptions({ rpID, allowCredentials, userVerification: "required" });

const app = express();
app.use(authRoutes(auth), page("passkeys.html"), express.json());

// With a stolen session, no passkey can be registered: the user must have logged in or confirmed just before.
const recent = requireUser(auth, { maxAge: minutes(10) });
app.post("/passkeys/register/options", recent, async ({ auth: { userId, sessionId } }, res) => {
  const user = {
    userName: (await auth.users.find(userId))?.username ?? userId,
    userID: new TextEncoder().encode(userId),
  };
  const authenticatorSelection = { residentKey: "required", userVerification: "required" } as const;
  const rest = { rpName: "Example", rpID, excludeCredentials: listPasskeys(userId), authenticatorSelection };
  res.json(remember(`register ${sessionId}`, await webauthn.generateRegistrationOptions({ ...user, ...rest })));
});
app.post("/passkeys/register", recent, async ({ auth: { userId, sessionId }, body: response }, res) => {
  const options = { response, ...toExpected(`register ${sessionId}`) };
  const result = await webauthn.verifyRegistrationResponse(options).catch(() => null);
  if (!result?.verified) return void res.status(400).json({ detail: "The passkey isn't valid." });
  addPasskey(userId, result.registrationInfo.credential);
  res.sendStatus(204);
});

// The challenge of a login is bound to the browser by a cookie, so that no other site can log the browser in as another user.
const secure = ORIGIN.startsWith("https:");
const cookie = secure ? "__Host-passkey" : "passkey";
const toBrowser = (req: Request) =>
  new RegExp(`(?:^|; )${cookie}=([^;]+)`).exec(req.headers.cookie ?? "")?.[1] ?? "none";
const startSession = sessionStarter(auth);
app.post("/passkeys/login/options", async (_req, res) => {
  const browser = randomUUID();
  res.cookie(cookie, browser, { httpOnly: true, secure, sameSite: "strict" });
  res.json(remember(`log in ${browser}`, await toSignIn([])));
});
app.post("/passkeys/login", async (req, res) => {
  const verified = await verify(req.body, `log in ${toBrowser(req)}`);
  if (verified === null) return void res.status(400).json({ detail: "The passkey isn't valid." });
  await startSession(req, res, verified.userId, { amr: verified.amr });
  res.sendStatus(204);
});

app.post("/passkeys/confirm/options", requireUser(auth), async ({ auth: { userId, sessionId } }, res) => {
  res.json(remember(`confirm ${sessionId}`, await toSignIn(listPasskeys(userId))));
});
app.post("/passkeys/confirm", requireUser(auth), async (req, res) => {
  const verified = await verify(req.body, `confirm ${req.auth.sessionId}`);
  if (verified?.userId !== req.auth.userId) return void res.status(400).json({ detail: "The passkey isn't valid." });
  const confirmed = await auth.confirm(req.auth, { amr: verified.amr });
  res.setHeader("Set-Cookie", auth.toSetCookies(confirmed, req)).sendStatus(204);
});
app.post(
  "/transfer",
  requireUser(auth, { maxAge: minutes(5), amr: ["mfa"] }),
  (req, res) => void res.json({ amr: req.auth.amr }),
);

const server = app.listen(Number(PORT)).on("listening", () => console.log("listening", server.address()));
