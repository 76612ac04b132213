/**
 * Sign-up by a form without scripts, which creates a user and logs the user in: `npm install && SIGNING_KEY=$(openssl rand -hex 48) node sign-up.ts`,
 * then open http://localhost:3000/sign-up.
 */
import express from "express";
import { AuthError, createAuth, safeNext, type User } from "tokenpair";
import { authRoutes, requireUser, sessionStarter } from "tokenpair/express";
import { sqliteStore } from "tokenpair/sqlite";

const store = sqliteStore("data/sign-up.db");
await store.migrate();
const auth = createAuth({
  store,
  signingKey: process.env["SIGNING_KEY"] ?? "",
  minPasswordLength: 15, // the password is the only factor
});
await auth.ready();
const origin = process.env["ORIGIN"] ?? "http://localhost:3000";

/** Your hook: send a link here, and set a flag of your own when it is opened, as magic-link.ts does. */
async function sendVerification({ email }: User): Promise<void> {
  console.log(`to ${email}: please verify your email address`);
}

const startSession = sessionStarter(auth);
const app = express();
app.use(authRoutes(auth));

app.get("/sign-up", async (req, res) => showForm(req, res, { next: safeNext(req.query["next"], origin) ?? "/" }));

app.post("/sign-up", express.urlencoded({ extended: false, limit: "4kb" }), async (req, res) => {
  const { username, email, password, next, csrfmiddlewaretoken } = (req.body ?? {}) as Record<string, unknown>;
  const user = { username: toText(username), email: toText(email) };
  const form = { ...user, next: safeNext(next, origin) ?? "/" };
  try {
    // Otherwise, another site could sign its visitors up for an account that it knows.
    await auth.requireCsrfToken(req, { token: csrfmiddlewaretoken });
    const created = await auth.users.create({ ...user, password: toText(password) });
    sendVerification(created).catch(console.error); // not awaited: a slow mail server must not delay the sign-up
    await startSession(req, res, created.id, { amr: ["pwd"] });
    res.redirect(303, form.next);
  } catch (error) {
    const problem = toProblem(error);
    if (problem === null) throw error;
    res.status(problem.status);
    await showForm(req, res, { ...form, problem: problem.text });
  }
});

app.get("/", requireUser(auth), async (req, res) => {
  res.send(`Hello, ${toHtml((await auth.users.find(req.auth.userId))?.username ?? "")}.\n`);
});

/** Returns what to tell the user; `null` if the user can't do anything about it. */
function toProblem(error: unknown): { readonly status: number; readonly text: string } | null {
  if (!(error instanceof AuthError)) return null;
  if (error.code === "csrf_failed") return { status: 403, text: "Please try again." };
  if (error.code === "username_taken") return { status: 409, text: "This name is taken. If it is yours, log in." };
  if (error.code === "unavailable") return { status: 503, text: "Please try again later." };
  const isFault = ["username_invalid", "email_invalid", "password_refused"].includes(error.code);
  return isFault ? { status: 400, text: error.reason } : null;
}

interface Form {
  readonly next: string;
  readonly username?: string;
  readonly email?: string;
  readonly problem?: string;
}

async function showForm(req: express.Request, res: express.Response, form: Form): Promise<void> {
  const { token, cookies } = await auth.csrfToken(req);
  for (const cookie of cookies) res.append("Set-Cookie", cookie);
  const { next, username = "", email = "", problem = "" } = form;
  res.set({ "Cache-Control": "no-store" }).send(`<!doctype html><title>Sign up</title>
<form method="post" action="/sign-up">
  <p role="alert">${toHtml(problem)}</p>
  <input type="hidden" name="csrfmiddlewaretoken" value="${toHtml(token)}">
  <input type="hidden" name="next" value="${toHtml(next)}">
  <label>Name <input name="username" value="${toHtml(username)}" autocomplete="username" required></label>
  <label>Email <input name="email" type="email" value="${toHtml(email)}" autocomplete="email" required></label>
  <label>Password <input name="password" type="password" autocomplete="new-password" minlength="15" required></label>
  <button>Sign up</button>
</form>`);
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function toHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const server = app
  .listen(Number(process.env["PORT"] ?? 3000))
  .on("listening", () => console.log("listening", server.address()));
