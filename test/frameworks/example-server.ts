import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { childEnvironment } from "../support/child-environment.ts";
import { findFreePort } from "../support/free-port.ts";
import { openGate } from "./gate.ts";
import { applicationOf, type NextServer, signingKey } from "./next-server.ts";

/** The address from which the gate connects to the application. */
export const gateAddress = "127.0.0.9";

/** Starts an example that `example-build.ts` has built, behind a gate that forwards as a proxy does. */
export async function startExample(name: string, program: string): Promise<NextServer> {
  const folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const database = join(folder, "app.db");
  const port = await findFreePort();
  const child = spawn(process.execPath, [program], {
    cwd: applicationOf(name),
    env: {
      ...childEnvironment,
      NODE_ENV: "production",
      HOST: "127.0.0.1",
      PORT: String(port),
      PROTOCOL_HEADER: "x-forwarded-proto",
      DATABASE: database,
      SIGNING_KEY: signingKey,
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
  await waitForPort(child, port);
  const gate = await openGate(port, { headers: { "x-forwarded-proto": "http" }, localAddress: gateAddress });
  return {
    gate,
    database,
    async stop() {
      await gate.close();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until the program listens. Each says so in other words. */
async function waitForPort(child: ChildProcess, port: number): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const socket = createConnection({ host: "127.0.0.1", port });
    const isOpen = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isOpen) return;
    await sleep(50);
  }
  throw new Error("the application has exited");
}
