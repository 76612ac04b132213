import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { runCommand } from "../support/run-command.ts";

async function check(url: string, ...flags: readonly string[]) {
  const { exit, stdout, stderr } = await runCommand(["healthcheck", "--url", url, ...flags]);
  return { code: exit, printed: stdout || stderr };
}

/** Starts a server that isn't ready for the first `refusals` questions. */
async function start(refusals: number): Promise<{ readonly url: string; readonly server: Server }> {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    const isReady = asked > refusals;
    response.writeHead(isReady ? 200 : 503, { "Content-Type": "application/json" });
    response.end(JSON.stringify(isReady ? { status: "ok" } : { detail: "loading" }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

describe("tokenpair healthcheck", () => {
  it("fails at once if the server isn't ready, and says why", async () => {
    const { url } = await start(1);
    expect(await check(url)).toEqual({ code: 1, printed: "tokenpair: loading\n" });
  });

  it("with --wait, asks again until the server is ready", async () => {
    const { url } = await start(2);
    expect(await check(url, "--wait", "60")).toEqual({ code: 0, printed: "ok\n" });
  });

  it("with --wait, says after that time what the last question was answered", async () => {
    const { url, server } = await start(0);
    await new Promise((resolve) => server.close(resolve));
    expect(await check(url, "--wait", "1")).toEqual({ code: 1, printed: `tokenpair: no server answers at ${url}\n` });
  });
});
