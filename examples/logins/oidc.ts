/**
 * "Log in with …" by OpenID Connect, in Express, with any provider: the code flow with PKCE, `state` and `nonce`.
 *
 *   npm install
 *   export SIGNING_KEY=$(openssl rand -hex 48)
 *   ISSUER=https://accounts.google.com CLIENT_ID=… CLIENT_SECRET=… node oidc.ts
 *
 * Register the redirect URI http://localhost:3000/login/callback with the provider, and open http://localhost:3000/.
 */
import { DatabaseSync } from "node:sqlite";
import express, { type Response } from "express";
import * as oidc from "openid-client";
import { createAuth, safeNext } from "tokenpair";
import { authRoutes, requireUser, sessionStarter } from "tokenpair/express";
import { sqliteStore } from "tokenpair/sqlite";
import { page } from "./demo.ts";

const { PORT = "3000", ORIGIN = `http://localhost:${PORT}`, ISSUER = "", CLIENT_ID = "", CLIENT_SECRET } = process.env;

const store = sqliteStore("data/logins.db");
await store.migrate();

// A user is known by `iss` and `sub` together, and never by an email address: it can be unverified, or another user's later.
const db = new DatabaseSync("data/members.db");
db.exec("CREATE TABLE IF NOT EXISTS members (id INTEGER PRIMARY KEY, iss, sub, username, UNIQUE (iss, sub))");
const findMember = db.prepare("SELECT username FROM members WHERE id = ?");
const findOrCreateMember = db.prepare(
  "INSERT INTO members (iss, sub, username) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET username = excluded.username RETURNING id",
);
const auth = createAuth({
  store,
  signingKey: process.env["SIGNING_KEY"] ?? "",
  findUser: async (id) => {
    const member = findMember.get(id);
    return member === undefined ? null : { id, username: String(member["username"]), isActive: true };
  },
});
await auth.ready();

// The provider is asked for its endpoints at the first login, so that this server also starts while the provider is down.
let provider: Promise<oidc.Configuration> | undefined;
function discover(): Promise<oidc.Configuration> {
  const execute = /^http:\/\/(localhost|127\.0\.0\.1):/.test(ISSUER) ? [oidc.allowInsecureRequests] : [];
  provider ??= oidc.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, { execute });
  provider.catch(() => (provider = undefined));
  return provider;
}

// A login in progress is in a cookie, so that only the browser that began it can finish it. `__Host-` keeps other hosts from setting it.
const secure = ORIGIN.startsWith("https:");
const cookie = secure ? "__Host-oidc" : "oidc";
const cookieOptions = { httpOnly: true, secure, sameSite: "lax", maxAge: 600_000, encode: String } as const;

async function beginLogin(res: Response, next: string, attempt: "first" | "second"): Promise<void> {
  const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()];
  const url = oidc.buildAuthorizationUrl(await discover(), {
    redirect_uri: `${ORIGIN}/login/callback`,
    scope: "openid profile",
    state,
    nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    // Only with `max_age` must an ID token say when the user was authenticated. After so many seconds, the provider asks again.
    max_age: `${30 * 86_400}`,
  });
  res.cookie(cookie, `${new URLSearchParams({ state, nonce, verifier, next, attempt })}`, cookieOptions);
  res.set("Cache-Control", "no-store").redirect(303, url.href);
}

const app = express();
app.use(authRoutes(auth), page("oidc.html"));
app.get(
  "/account",
  requireUser(auth),
  ({ auth: { userId, amr, authTime } }, res) => void res.json({ userId, amr, authTime }),
);
app.get("/login", (req, res) => beginLogin(res, safeNext(req.query["next"], ORIGIN) ?? "/", "first"));

const startSession = sessionStarter(auth);
app.get("/login/callback", async (req, res) => {
  const begun = new URLSearchParams(
    req.headers.cookie
      ?.split("; ")
      .find((pair) => pair.startsWith(`${cookie}=`))
      ?.slice(cookie.length + 1),
  );
  const next = safeNext(begun.get("next"), ORIGIN) ?? "/";
  try {
    const config = await discover();
    const tokens = await oidc.authorizationCodeGrant(config, new URL(req.originalUrl, ORIGIN), {
      expectedState: begun.get("state") ?? "none",
      expectedNonce: begun.get("nonce") ?? "none",
      pkceCodeVerifier: begun.get("verifier") ?? "none",
    });
    // Without `auth_time`, the time is unknown. 0 is not recent enough for any `maxAge`.
    const { iss, sub, auth_time: authTime = 0, ...claims } = tokens.claims() as oidc.IDToken;
    // Many providers have the name in the user info alone, and some have no user info.
    const isComplete = "name" in claims || !config.serverMetadata().userinfo_endpoint;
    const { name = sub } = isComplete ? claims : await oidc.fetchUserInfo(config, tokens.access_token, sub);
    const { id } = findOrCreateMember.get(iss, sub, String(name)) as { id: number };
    await startSession(req, res, String(id), { amr: ["oidc"], authTime });
    res.clearCookie(cookie, cookieOptions).redirect(303, next);
  } catch (error) {
    // If our answer was lost, the browser sends the code again, which works once. Then begin again: the provider remembers the user.
    const isUsed = error instanceof oidc.ResponseBodyError && error.error === "invalid_grant";
    if (isUsed && begun.get("attempt") === "first") return beginLogin(res, next, "second");
    console.error("login refused:", error);
    res.status(400).send('The login failed. <a href="/login">Try again</a>');
  }
});
const server = app.listen(Number(PORT)).on("listening", () => console.log("listening", server.address()));
