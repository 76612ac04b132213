import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

/** What the examples of a file take for granted. */
const surroundings: Readonly<Record<string, string>> = {
  "src/auth.ts": `
    import express from "express";
    import type { Auth, AuthenticationOf, User } from "tokenpair";
    import { requireUser } from "tokenpair/express";
    declare const app: ReturnType<typeof express>;
    declare const auth: Auth<User, { roles: string[] }>;`,
  "src/create-auth.ts": `
    import { createAuth } from "tokenpair";
    import { sqliteStore } from "tokenpair/sqlite";`,
  "src/core/settings/durations.ts": `
    import { createAuth, days, minutes, type Store } from "tokenpair";
    declare const store: Store;
    declare const signingKey: string;`,
  "src/crypto/signing-key.ts": `import { createHmacKey } from "../dist/crypto/signing-key.js";`,
  "src/store/sqlite/index.ts": `import { sqliteStore } from "tokenpair/sqlite";`,
  "src/store/postgres/index.ts": `import { postgresStore } from "tokenpair/postgres";`,
  ...Object.fromEntries(
    ["client", "client-error", "user-sessions", "session/session-state"].map((name) => [
      `src/client/${name}.ts`,
      `
    import { type Client, ClientError } from "tokenpair/client";
    declare const client: Client;
    declare const username: string;
    declare const password: string;
    declare function render(...content: unknown[]): void;`,
    ]),
  ),
  "src/client/index.ts": `
    import { createClient } from "tokenpair/client";
    declare const username: string;
    declare const password: string;
    declare function render(...content: unknown[]): void;`,
  "src/client/bearer/index.ts": `
    import { createBearerClient } from "tokenpair/client/bearer";
    declare const keychain: {
      get(key: string): Promise<string | null>;
      set(key: string, value: string): Promise<void>;
      delete(key: string): Promise<void>;
    };
    declare const username: string;
    declare const password: string;`,
  "src/client/react.ts": `
    import type { Client } from "tokenpair/client";
    import { useSession } from "tokenpair/react";
    declare const client: Client;`,
  "src/adapters/node.ts": `
    import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
    import type { Auth } from "tokenpair";
    import { requireUser, toNodeListener } from "tokenpair/node";
    declare const auth: Auth;
    declare const req: IncomingMessage;
    declare const res: ServerResponse;
    declare function myApp(req: IncomingMessage, res: ServerResponse): void;`,
  "src/adapters/express.ts": `
    import express from "express";
    import type { Auth } from "tokenpair";
    import { authRoutes, requireUser } from "tokenpair/express";
    declare const auth: Auth;
    declare const app: ReturnType<typeof express>;
    declare function ordersOf(userId: string | undefined): object;`,
  "src/adapters/fastify.ts": `
    import type { FastifyInstance } from "fastify";
    import type { Auth } from "tokenpair";
    import { authRoutes, requireUser } from "tokenpair/fastify";
    declare const auth: Auth;
    declare const app: FastifyInstance;
    declare function ordersOf(userId: string | undefined): object;`,
  "src/adapters/hono.ts": `
    import type { Hono } from "hono";
    import type { Auth } from "tokenpair";
    import { authRoutes, requireUser } from "tokenpair/hono";
    declare const auth: Auth;
    declare const app: Hono;
    declare function ordersOf(userId: string): object;`,
};

/** The `@example` blocks of the docstrings, each as a module. @throws Error where a file's surroundings are not known. */
export function toExampleModules(): string[] {
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
    return examples.map((example) => `${around}\n${example}\nexport {};\n`);
  });
}
