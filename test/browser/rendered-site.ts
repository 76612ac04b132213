import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { build } from "esbuild";
import type { Auth } from "tokenpair";
import { createApp as createExpressApp } from "../../examples/server-rendered/express.ts";
import { createApp as createHonoApp } from "../../examples/server-rendered/hono.ts";
import { loginPage } from "../../examples/server-rendered/templates.ts";
import { type AuthMode, createAuthWith } from "../../src/create-auth.ts";
import type { AuthOptions, SessionView } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { signingKey } from "../support/auth.ts";
import { traits } from "./browsers.ts";
import type { Device, Tab } from "./device.ts";
import { password } from "./site.ts";

const root = resolve(import.meta.dirname, "../..");

/** The applications of examples/server-rendered. */
export const apps = ["express", "hono"] as const;

/** A request that the server has answered. */
export interface Answered {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** `Sec-Purpose`, or what a browser sends in its place. */
  readonly purpose: string | undefined;
}

/** One of the examples on a server of its own, with some routes for the tests. */
export interface RenderedSite {
  readonly origin: string;
  readonly port: number;
  /** The requests that were answered until now, oldest first. */
  readonly answered: readonly Answered[];
  /** Returns the outcomes of this user's refreshes until now. */
  readonly refreshesOf: (username: string) => readonly string[];
  readonly newUser: () => Promise<string>;
  readonly sessionsOf: (username: string) => Promise<readonly SessionView[]>;
  readonly revokeSessions: (username: string) => Promise<unknown>;
  /** Answers refreshes with 503 from now on, or no longer. */
  readonly fail: (fails: boolean) => void;
  readonly close: () => Promise<void>;
}

const blank = "<!doctype html><title>blank</title>";

/** The pages of the tests: `/test/expire` deletes the access cookie, `/test/lose` the refresh cookie. */
const pages: Readonly<Record<string, string>> = {
  "/test/blank": blank,
  "/test/expire": blank,
  "/test/lose": blank,
  "/test/form": `${blank}<h1>Form</h1><form method="post" action="/notes"><label>Note <input name="note"></label>
<button>Add</button></form><script type="module" src="/test/client.js"></script>`,
  "/test/link": `${blank}<a href="/notes">notes</a>`,
  "/test/prefetch": `${blank}<link rel="prefetch" href="/notes?by=link">
<script type="speculationrules">{"prefetch":[{"urls":["/notes?by=prefetch"],"eagerness":"immediate"}],
"prerender":[{"urls":["/notes?by=prerender"],"eagerness":"immediate"}]}</script><iframe src="/notes?by=frame"></iframe>`,
};

/** Starts an example. */
export async function openRenderedSite(
  app: (typeof apps)[number],
  options: Partial<AuthOptions> = {},
): Promise<RenderedSite> {
  const { authPath = "/api/auth" } = options;
  // Development cookies have no prefix.
  const names = traits.keepsSecureCookies
    ? { accessCookieName: "__Host-Http-access", refreshCookieName: "__Secure-refresh", ...options }
    : { accessCookieName: "access", refreshCookieName: "refresh" };
  const attributes = `HttpOnly${traits.keepsSecureCookies ? "; Secure" : ""}`;
  const accessCookie = names.accessCookieName;
  // As a browser does when the token has expired.
  const expiry = `${accessCookie}=; Max-Age=0; Path=/; ${attributes}`;
  // Leaves the CSRF cookie of the session.
  const loss = `${names.refreshCookieName}=; Max-Age=0; Path=${authPath}; ${attributes}`;
  const store = sqliteStore(":memory:");
  await store.migrate();
  const mode: AuthMode = { developmentCookies: !traits.keepsSecureCookies, warn: () => undefined };
  const auth = createAuthWith({ store, signingKey, passwordMemoryCost: 8, ...options } as AuthOptions, mode);
  await auth.ready();
  const script = await bundleRecipe();
  const users = new Map<string, string>();
  const answered: Answered[] = [];
  const refreshes: { readonly userId: string | undefined; readonly outcome: string }[] = [];
  auth.on((event) => {
    if (event.type === "refresh") refreshes.push({ userId: event.userId ?? undefined, outcome: event.outcome });
  });
  let fails = false;

  // The example has the types of the build.
  const built = auth as unknown as Auth;
  const listener: RequestListener =
    app === "express"
      ? (createExpressApp(built) as unknown as RequestListener)
      : (getRequestListener(createHonoApp(built).fetch, { overrideGlobalObjects: false }) as RequestListener);

  const server = createServer((req, res) => {
    const { url: path = "", method = "", headers } = req;
    res.on("finish", () => {
      if (path === "/favicon.ico") return;
      const purpose = headers["sec-purpose"] ?? headers["purpose"] ?? headers["x-moz"];
      answered.push({ method, path, status: res.statusCode, purpose: purpose?.toString() });
    });
    const page = pages[path.split("?")[0] ?? ""];
    if (page !== undefined) {
      if (path.startsWith("/test/expire")) res.setHeader("Set-Cookie", expiry);
      if (path.startsWith("/test/lose")) res.setHeader("Set-Cookie", loss);
      res.writeHead(200, { "Content-Type": "text/html", "Cache-Control": "no-store" }).end(page);
    } else if (path === "/test/client.js") {
      res.writeHead(200, { "Content-Type": "text/javascript" }).end(script);
    } else if (path.startsWith("/login") && authPath !== "/api/auth") {
      // The example's own form has the default path.
      const query = new URLSearchParams(path.split("?")[1]);
      void auth.csrfToken(req).then(({ token, cookies }) => {
        const form = loginPage({ token, next: query.get("next") ?? "/notes", error: query.get("error") ?? undefined });
        res.setHeader("Set-Cookie", [...cookies]);
        res.setHeader("Content-Type", "text/html");
        res.end(form.replace("/api/auth/", `${authPath}/`));
      });
    } else if (path === "/favicon.ico") res.writeHead(204).end();
    else if (path === "/test/never") {
      // As if the access cookie were never accepted.
      const cookie = headers.cookie?.split("; ").filter((pair) => !pair.startsWith(`${accessCookie}=`));
      req.headers.cookie = cookie?.join("; ");
      req.rawHeaders = req.rawHeaders.flatMap((text, i, all) =>
        i % 2 === 0 && text.toLowerCase() !== "cookie" ? [text, all[i + 1] ?? ""] : [],
      );
      req.rawHeaders.push("Cookie", req.headers.cookie ?? "");
      listener(req, res);
    } else if (fails && path === `${authPath}/refresh/`)
      res.writeHead(503, { "Content-Type": "text/plain" }).end("down");
    else listener(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const idOf = (username: string) => users.get(username) ?? "";

  return {
    origin: `http://localhost:${port}`,
    port,
    answered,
    refreshesOf: (username) =>
      refreshes.filter(({ userId }) => userId === idOf(username)).map(({ outcome }) => outcome),
    async newUser() {
      const username = `user-${users.size + 1}`;
      users.set(username, (await auth.users.create({ username, password })).id);
      return username;
    },
    sessionsOf: (username) => auth.sessions.list(idOf(username)),
    revokeSessions: (username) => auth.sessions.revokeAllForUser(idOf(username)),
    fail: (value) => {
      fails = value;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await auth.close();
      await store.close();
    },
  };
}

/** Returns the script that docs/server-rendered.md recommends: it calls `ensure()` before a form is sent. */
async function bundleRecipe(): Promise<string> {
  const page = readFileSync(join(root, "docs/server-rendered.md"), "utf8");
  const recipe = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].find(([, code]) => code?.includes("client.ensure()"))?.[1];
  if (recipe === undefined) throw new Error("docs/server-rendered.md has no script with client.ensure()");
  const { outputFiles } = await build({
    stdin: { contents: recipe, loader: "ts", resolveDir: root },
    alias: { "tokenpair/client": join(root, "src/client/index.ts") },
    bundle: true,
    format: "esm",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

/** Opens `/notes` in a new tab, and logs in with the form that the server shows instead. */
export async function logInByForm(device: Device, origin: string, username: string): Promise<Tab> {
  const tab = await device.newPage();
  await tab.goto(`${origin}/notes`);
  await tab.getByLabel("Username").fill(username);
  await tab.getByLabel("Password", { exact: true }).fill(password);
  await tab.getByRole("button", { name: "Log in" }).click();
  await seeNotes(tab);
  return tab;
}

/** Waits for the page of the notes. */
export async function seeNotes(tab: Tab): Promise<void> {
  await tab.getByRole("heading", { level: 1, name: "Notes" }).waitFor();
}

/** Deletes the access cookie of a device. */
export async function expire(device: Device, origin: string): Promise<void> {
  const tab = await device.newPage();
  await tab.goto(`${origin}/test/expire`);
  await tab.close();
}
