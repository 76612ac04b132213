import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createContext, runInContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BearerClient } from "../../src/client/bearer/bearer-client.ts";
import { alice, createTestAuth, type TestAuth } from "../support/auth.ts";

const example = resolve(import.meta.dirname, "../../examples/native");
const isInstalled =
  existsSync(join(example, "node_modules/metro")) && existsSync(join(example, "node_modules/tokenpair"));

/** One start of the app: the bundle in an engine with what React Native adds to Hermes, and nothing else. */
interface App {
  readonly client: BearerClient;
  readonly bringToFront: () => void;
}

describe.skipIf(!isInstalled)("the bundle that Metro makes of the example", () => {
  let folder: string;
  let bundle: string;
  let auth: TestAuth;
  const stored = new Map<string, { readonly value: string; readonly options: unknown }>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
    const out = join(folder, "bundle.js");
    execFileSync(process.execPath, [join(import.meta.dirname, "bundle.cjs"), out], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    bundle = readFileSync(out, "utf8");
    auth = await createTestAuth();
  });
  afterAll(async () => {
    await auth.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(): App {
    const listeners = new Set<(state: string) => void>();
    const device = {
      getRandomValues: (array: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(array),
      getItem: async (key: string) => stored.get(key)?.value ?? null,
      setItem: async (key: string, value: string, options: unknown) => void stored.set(key, { value, options }),
      removeItem: async (key: string) => void stored.delete(key),
      listen(_type: string, listener: (state: string) => void) {
        listeners.add(listener);
        return { remove: () => void listeners.delete(listener) };
      },
    };
    const send = async (input: string | Request, init?: RequestInit) =>
      auth.send(init?.method ?? "GET", new URL(String(input)).pathname, {
        headers: new Headers(init?.headers),
        body: init?.body ?? undefined,
      });
    const {
      AbortController,
      atob,
      btoa,
      clearTimeout,
      Headers: HeadersOf,
      performance,
      Request,
      Response,
      setTimeout,
    } = globalThis;
    const globals: Record<string, unknown> = {
      ...{
        AbortController,
        atob,
        btoa,
        clearTimeout,
        Headers: HeadersOf,
        performance,
        Request,
        Response,
        setTimeout,
        URL,
      },
      ...{ device, fetch: send, process: { env: {} } },
    };
    globals["window"] = globals["global"] = globals;
    runInContext(bundle, createContext(globals));
    return {
      client: globals["client"] as BearerClient,
      bringToFront() {
        for (const listener of listeners) listener("active");
      },
    };
  }

  it("logs in, survives a new start of the app, and logs out, without crypto and a document", async () => {
    const { client } = start();
    expect((await client.ready()).status).toBe("anonymous");
    expect((await client.login(alice)).user?.username).toBe("alice");
    expect([...stored.keys()].filter((key) => !/^[A-Za-z0-9._-]+$/.test(key))).toEqual([]);
    expect([...stored.values()].map(({ value }) => value.length).filter((length) => length > 2_000)).toEqual([]);
    expect(new Set([...stored.values()].map(({ options }) => JSON.stringify(options)))).toEqual(
      new Set(['{"keychainAccessible":1}']),
    );
    client.dispose();

    const next = start();
    expect((await next.client.ready()).user?.username).toBe("alice");
    next.bringToFront();
    expect((await next.client.refresh()).problem).toBeUndefined();
    expect((await next.client.fetch("/api/auth/me/")).status).toBe(200);
    expect(await next.client.logout()).toEqual({ revoked: true });
    next.client.dispose();
    expect(auth.errors).toEqual([]);
    console.log(`native: Metro's bundle of the example: ${bundle.length} bytes, logs in, restarts and logs out`);
  });
});
