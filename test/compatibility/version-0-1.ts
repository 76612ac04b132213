import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Pair } from "../support/wire.ts";

/** The release as it was published, without docs, types, source maps, and the page and the library for browsers. */
const tarball = resolve(import.meta.dirname, "tokenpair-0.1.0.tgz");

/** A folder from which the dependencies of the release resolve to those of this repository. */
const cache = resolve(import.meta.dirname, "../../node_modules/.cache");

/** The part of the library of 0.1 that the tests use, under its names. */
export interface Auth01 {
  ready(): Promise<void>;
  issue(userId: string): Promise<Pair>;
  logout(session: string | { userId: string; sessionId: string }, scope?: "others" | "all"): Promise<void>;
  revokeToken(tokenId: string): Promise<void>;
  readonly sessions: {
    end(sessionId: string): Promise<void>;
    endAllOf(userId: string): Promise<unknown>;
    endAll(): Promise<unknown>;
  };
  readonly users: {
    disable(userId: string): Promise<unknown>;
    enable(userId: string): Promise<unknown>;
    setPassword(userId: string, password: string): Promise<unknown>;
  };
  close(): Promise<void>;
}

interface Store01 {
  close(): Promise<void>;
}

/** The entry points of 0.1. */
export interface Library01 {
  createAuth(options: object): Auth01;
  sqliteStore(file: string): Store01;
  postgresStore(options: object): Store01;
}

/** An unpacked release. */
export interface Release {
  /** The file that runs its command line. */
  readonly main: string;
  /** Loads its library into this process. */
  load(): Promise<Library01>;
  /** Deletes the unpacked files. */
  remove(): void;
}

/** Unpacks tokenpair 0.1.0. */
export async function unpackVersion01(): Promise<Release> {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "tokenpair-0.1.0-"));
  await promisify(execFile)("tar", ["-xzf", tarball, "-C", folder]);
  const load = (path: string) => import(pathToFileURL(join(folder, "package/dist", path)).href);
  return {
    main: join(folder, "package/dist/cli/main.js"),
    load: async () => ({
      ...(await load("index.js")),
      ...(await load("store/sqlite/index.js")),
      ...(await load("store/postgres/index.js")),
    }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
