import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

const auth = `
    import type { Auth, User } from "tokenpair";
    declare const auth: Auth<User, { roles: string[] }>;
    declare const ip: string, userAgent: string, username: string, password: string;
    declare const userId: string, sessionId: string, refreshToken: string, idempotencyKey: string;
    declare const currentPassword: string, newPassword: string, ticket: string, code: string;
    declare function isCode(userId: string, code: string): Promise<boolean>;
    declare const request: Request;
    declare const socket: WebSocket;
    declare const server: import("node:http").Server;`;

const settings = `
    import { createAuth, days, hours, minutes, SettingError, type Store } from "tokenpair";
    declare const store: Store;
    declare const signingKey: string;`;

/** Declarations that the examples of a file take for granted. */
const surroundings: Readonly<Record<string, string>> = {
  "src/auth.ts": auth,
  "src/auth-management.ts": auth,
  "src/auth-logins.ts": auth,
  "src/auth-pages.ts": auth,
  "src/register.ts": auth,
  "src/create-auth.ts": `
    import { createAuth, minutes } from "tokenpair";
    import { sqliteStore } from "tokenpair/sqlite";`,
  "src/staff/create-console.ts": `
    import type { Auth } from "tokenpair";
    import { createConsole } from "tokenpair/console";
    declare const auth: Auth;
    declare const request: Request;`,
  "src/core/settings/durations.ts": settings,
  "src/core/settings/setting-error.ts": settings,
  "src/core/safe-next.ts": `
    import { safeNext } from "tokenpair";
    declare const request: { readonly url: URL };`,
  "src/crypto/keys/hmac-key.ts": `import { createHmacKey } from "../dist/crypto/keys/hmac-key.js";`,
  "src/store/sqlite/index.ts": `import { sqliteStore } from "tokenpair/sqlite";`,
  "src/store/postgres/index.ts": `import { postgresStore } from "tokenpair/postgres";`,
  ...Object.fromEntries(
    [
      "client",
      "client-error",
      "user-sessions",
      "patch-fetch",
      "watch-session",
      "session/session-state",
      "cookie/client",
    ].map((name) => [
      `src/client/${name}.ts`,
      `
    import { ClientError, type CookieClient, patchFetch, userSessions, watchSession } from "tokenpair/client";
    declare const client: CookieClient;
    declare const username: string;
    declare const password: string;
    declare const upload: XMLHttpRequest;
    declare function redirect(path: string): Error;
    declare function render(...content: unknown[]): void;`,
    ]),
  ),
  "src/client/index.ts": `
    import { createClient } from "tokenpair/client";
    declare const username: string;
    declare const password: string;
    declare function render(...content: unknown[]): void;`,
  "src/client/bearer/bearer-client.ts": `
    import type { BearerClient } from "tokenpair/client/bearer";
    declare const client: BearerClient;
    declare const username: string;
    declare const password: string;
    declare const link: string;`,
  "src/client/bearer/native.ts": `
    import { type AppStateSource, type BearerClient, createBearerClient, followAppState, type SecureStore as Store, toSecureStorage } from "tokenpair/client/bearer";
    declare const AppState: AppStateSource;
    declare const SecureStore: Store;
    declare const client: BearerClient;`,
  "src/client/bearer/index.ts": `
    import { createBearerClient } from "tokenpair/client/bearer";
    declare const keychain: {
      get(key: string): Promise<string | null>;
      set(key: string, value: string): Promise<void>;
      delete(key: string): Promise<void>;
    };
    declare const username: string;
    declare const password: string;`,
  ...Object.fromEntries(
    ["session-provider", "use-action", "use-session", "use-sessions"].map((name) => [
      `src/client/react/${name}.ts`,
      `
    import type { Client } from "tokenpair/client";
    import { SessionProvider, useAction, useSession, useSessions, useUser } from "tokenpair/react";
    declare const client: Client;
    declare const root: import("react-dom/client").Root;
    declare function App(): null;`,
    ]),
  ),
  "src/passwords/create-passwords.ts": `
    import { createPasswords } from "tokenpair/passwords";
    declare const username: string, password: string;`,
  "src/passwords/passwords.ts": `
    import { AuthError, type Passwords } from "tokenpair/passwords";
    declare const passwords: Passwords;
    declare const username: string, password: string;
    declare const user: { passwordHash: string } | undefined;
    declare function replaceHash(user: unknown, hash: string): Promise<void>;
    declare function showProblem(problem: string): void;`,
  "src/server/config/load.ts": `
    import { createAuth, minutes } from "tokenpair";
    import { defineConfig, loadConfig } from "tokenpair/config";`,
  "src/verifier/create-verifier.ts": `
    import { createVerifier } from "tokenpair/verifier";
    declare const request: Request;`,
  ...ofAll(
    ["node/index", "node/session", "node/user"],
    `
    import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
    import { type Auth, minutes } from "tokenpair";
    import { consoleRoutes, cors, requirePage, requireUser, sessionStarter, toNodeHandler } from "tokenpair/node";
    import { createConsole } from "tokenpair/console";
    declare function findUserOfCode(url: string | undefined): Promise<string>;
    declare const auth: Auth;
    declare function myApp(req: IncomingMessage, res: ServerResponse): void;`,
  ),
  ...ofAll(
    ["express/index", "express/parts", "express/user"],
    `
    import express, { type Response } from "express";
    import { type Auth, minutes } from "tokenpair";
    import { authRoutes, consoleRoutes, cors, requirePage, requireUser } from "tokenpair/express";
    import { createConsole } from "tokenpair/console";
    declare const auth: Auth;
    declare const app: ReturnType<typeof express>;
    declare function ordersOf(userId: string): object;
    declare function deleteAccount(userId: string, res: Response): void;`,
  ),
  ...ofAll(
    ["fastify/index", "fastify/session", "fastify/cors", "fastify/user"],
    `
    import type { FastifyInstance } from "fastify";
    import { type Auth, minutes } from "tokenpair";
    import { authRoutes, consoleRoutes, cors, requirePage, requireUser, sessionStarter } from "tokenpair/fastify";
    import { createConsole } from "tokenpair/console";
    declare function findUserOfCode(url: string): Promise<string>;
    declare const auth: Auth;
    declare const app: FastifyInstance;
    declare function ordersOf(userId: string): object;
    declare function deleteAccount(): Promise<object>;`,
  ),
  "src/shared-auth.ts": `
    import { createAuth, sharedAuth } from "tokenpair";
    import { sqliteStore } from "tokenpair/sqlite";`,
  ...ofAll(
    ["next/action", "next/handlers", "next/proxy", "next/route", "next/user"],
    `
    import type { Auth } from "tokenpair";
    import { action, handlers, pages, proxy, withUser } from "tokenpair/next";
    declare const getAuth: () => Promise<Auth>;
    declare function renameUser(userId: string, name: string): Promise<void>;
    declare function ordersOf(userId: string): Promise<object>;`,
  ),
  ...ofAll(
    ["hono/index", "hono/session", "hono/cors", "hono/page", "hono/user"],
    `
    import type { Context, Hono } from "hono";
    import { type Auth, minutes } from "tokenpair";
    import { authRoutes, consoleRoutes, cors, requirePage, requireUser, sessionStarter } from "tokenpair/hono";
    import { createConsole } from "tokenpair/console";
    declare function findUserOfCode(url: string): Promise<string>;
    declare const auth: Auth;
    declare const app: Hono;
    declare function ordersOf(userId: string): object;
    declare function ordersPage(userId: string): string;
    declare function orderOf(userId: string, id: string): object;
    declare function deleteAccount(c: Context): Response;`,
  ),
  ...ofAll(
    ["nestjs/decorators", "nestjs/guard", "nestjs/options", "nestjs/sockets"],
    `
    import type { IncomingMessage } from "node:http";
    import { Delete, Get, UseGuards } from "@nestjs/common";
    import { type Auth, minutes } from "tokenpair";
    import { AuthGuard, AuthSockets, CurrentUser, InjectAuth, Public, StepUp } from "tokenpair/nestjs";`,
  ),
};

/** Returns the same declarations for each of these files of adapters. */
function ofAll(names: readonly string[], declarations: string): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [`src/adapters/${name}.ts`, declarations]));
}

/** An `@example` of a docstring. */
export interface ExampleModule {
  /** The source of a module. */
  readonly text: string;
  /** Whether it is written in JSX. */
  readonly hasElements: boolean;
}

/** Returns each `@example` of a docstring as a module. @throws Error if the declarations for a file's examples are missing. */
export function toExampleModules(): ExampleModule[] {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.tsx?$/.test(name),
  );
  return files.flatMap((name) => {
    const path = `src/${name}`;
    const docstrings = readFileSync(join(root, path), "utf8").matchAll(/^ *\/\*\*\n.*?^ *\*\/$/gms);
    const examples = [...docstrings].flatMap(([docstring]) => {
      const text = docstring.replaceAll(/^ *\*(?: |\/?$)/gm, "");
      return [...text.matchAll(/^@example\n(.*?)(?=^@|(?![\s\S]))/gms)].map(([, example = ""]) => example);
    });
    const around = surroundings[path];
    if (examples.length > 0 && around === undefined) throw new Error(`${path}: scripts/docstring-examples.ts lacks it`);
    return examples.map((example) => ({
      text: `${around}\n${example}\nexport {};\n`,
      hasElements: example.includes("</"),
    }));
  });
}
