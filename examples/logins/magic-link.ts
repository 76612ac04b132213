/**
 * Login by a link in an email: `npm install && SIGNING_KEY=$(openssl rand -hex 48) node magic-link.ts`, then open
 * http://localhost:3000/login. The emails are printed. The database has a user `alice` with the email address alice@example.com and without a password.
 */
import { createHash, randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import express from "express";
import { AuthError, createAuth } from "tokenpair";
import { authRoutes, requireUser, sessionStarter } from "tokenpair/express";
import { sqliteStore } from "tokenpair/sqlite";

const store = sqliteStore("data/magic-link.db");
await store.migrate();
const auth = createAuth({ store, signingKey: process.env["SIGNING_KEY"] ?? "" });
await auth.ready();
const alice = "alice@example.com";
if ((await auth.users.findByName(alice)) === null) await auth.users.create({ username: alice, email: alice });

const startSession = sessionStarter(auth);
const origin = process.env["ORIGIN"] ?? "http://localhost:3000"; // not from the request: its Host may be an attacker's

const links = new DatabaseSync("data/links.db");
links.exec(`PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS links (hash BLOB PRIMARY KEY, address TEXT, ip TEXT, user_id TEXT, expires_at INTEGER, used INTEGER)`);
// At most 3 links to an address in 15 minutes, and 20 for a client: one statement counts and inserts.
const insertLink = links.prepare(`INSERT INTO links SELECT :hash, :address, :ip, :userId, unixepoch() + 900, 0
  WHERE (SELECT count(*) FROM links WHERE address = :address AND expires_at > unixepoch()) < 3
  AND (SELECT count(*) FROM links WHERE ip = :ip AND expires_at > unixepoch()) < 20`);
const valid = "hash = ? AND user_id IS NOT NULL AND used = 0 AND expires_at > unixepoch()";
const findLink = links.prepare(`SELECT address FROM links WHERE ${valid}`);
const useLink = links.prepare(`UPDATE links SET used = 1 WHERE ${valid} RETURNING user_id`); // one of several requests gets it
const toHash = (token: unknown) => createHash("sha256").update(String(token)).digest();

type SendMail = (to: string, text: string) => Promise<void>;

/** Sends a link if there is such a user. An unknown address costs the same statements, so that the time doesn't tell. */
async function requestLink(input: unknown, ip: string, sendMail: SendMail): Promise<void> {
  const text = typeof input === "string" ? input.trim().toLowerCase().slice(0, 150) : "";
  const user = await auth.users.findByName(text); // the names of these users are their verified addresses
  const [token, address] = [randomBytes(32).toString("base64url"), user?.username ?? text];
  links.exec("DELETE FROM links WHERE expires_at <= unixepoch()");
  const { changes } = insertLink.run({ hash: toHash(token), address, ip, userId: user?.id ?? null });
  // Not awaited: the time that the mail server takes would tell that the user exists.
  if (changes === 1 && user !== null)
    sendMail(address, `To log in, open ${origin}/login/link?token=${token}`).catch(console.error);
}

const app = express();
app.use(authRoutes(auth));
app.use(express.urlencoded({ extended: false, limit: "4kb" }));

app.get("/login", (req, res) =>
  showForm(req, res, "/login", `<label>Email <input name="address" type="email"></label>`),
);
app.post("/login", async (req, res) => {
  await auth.requireCsrfToken(req, { token: req.body?.csrfmiddlewaretoken });
  await requestLink(req.body.address, req.ip ?? "", async (to, text) => console.log(`to ${to}: ${text}`));
  res.send("If this address has an account, a link is on its way.\n"); // the same for every address, and if it is throttled
});

// Mail scanners open links, so only the button uses the link up. It names the account, as someone else may have sent the link.
app.get("/login/link", async (req, res) => {
  const link = findLink.get(toHash(req.query["token"]));
  if (link === undefined) return void showInvalid(res);
  const name = toHtml(String(link["address"]));
  const token = toHtml(String(req.query["token"]));
  await showForm(req, res, "/login/link", `<input type="hidden" name="token" value="${token}"> Log in as ${name}?`);
});
app.post("/login/link", async (req, res) => {
  await auth.requireCsrfToken(req, { token: req.body?.csrfmiddlewaretoken });
  const link = useLink.get(toHash(req.body.token));
  if (link === undefined) return showInvalid(res);
  await startSession(req, res, String(link["user_id"]), { amr: ["email"] });
  res.redirect(303, "/");
});

app.get("/", requireUser(auth), (req, res) => void res.send(`hello, user ${req.auth.userId}\n`));

app.use(((error, _req, res, next) => {
  if (!(error instanceof AuthError)) return next(error);
  if (error.code === "no_active_account") return showInvalid(res); // the user was disabled
  res.status(error.code === "csrf_failed" ? 403 : 503).send("Please try again.\n");
}) as express.ErrorRequestHandler);

const showInvalid = (res: express.Response): void =>
  void res.status(400).send(`This link was used or has expired. <a href="/login">Get a new one</a>\n`);

async function showForm(req: express.Request, res: express.Response, ...[action, content]: string[]): Promise<void> {
  const { token, cookies } = await auth.csrfToken(req);
  for (const cookie of cookies) res.append("Set-Cookie", cookie);
  // The address has the token, so no other site may see it. "no-referrer" would also hide the form's origin from us.
  res.set({ "Cache-Control": "no-store", "Referrer-Policy": "same-origin" }).send(`<!doctype html><title>Log in</title>
<form method="post" action="${action}"><input type="hidden" name="csrfmiddlewaretoken" value="${toHtml(token)}">
${content} <button>Log in</button></form>`);
}

const toHtml = (text: string) => text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const server = app
  .listen(Number(process.env["PORT"] ?? 3000))
  .on("listening", () => console.log("listening", server.address()));
