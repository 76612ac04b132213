import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { childEnvironment } from "../support/child-environment.ts";
import { findFreePort } from "../support/free-port.ts";
import { type Gate, openGate } from "./gate.ts";

/** Returns the folder of an application that `next-build.ts` has copied together. */
export const applicationOf = (major: string, variant = "plain") => join(import.meta.dirname, major, "built", variant);

/** A built application that runs behind a gate. */
export interface NextServer {
  readonly gate: Gate;
  /** The path of the database. */
  readonly database: string;
  readonly stop: () => Promise<void>;
}

/** The key that signs the tokens. */
export const signingKey = "a signing key for these tests, of 32 bytes";

/** Starts `next start`, and a gate before it. */
export async function startNext(major: string, variant?: string): Promise<NextServer> {
  const application = applicationOf(major, variant);
  const folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const database = join(folder, "app.db");
  const port = await findFreePort();
  const next = join(import.meta.dirname, major, "node_modules/next/dist/bin/next");
  const child: ChildProcess = spawn(process.execPath, [next, "start", "--port", String(port)], {
    cwd: application,
    env: { ...childEnvironment, NODE_ENV: "production", DATABASE: database, SIGNING_KEY: signingKey },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const isReady = new Promise<void>((resolve, reject) => {
    child.once("exit", () => reject(new Error(`next start exited: ${lines.join("\n")}`)));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      lines.push(line);
      if (line.includes("Ready")) resolve();
    });
  });
  await isReady;
  child.removeAllListeners("exit");
  const gate = await openGate(port);
  return {
    gate,
    database,
    async stop() {
      await gate.close();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill();
        await once(child, "exit");
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
