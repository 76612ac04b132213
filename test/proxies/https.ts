import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { createBrowser } from "../support/browser.ts";

const agent = new Agent({
  keepAlive: true,
  ca: readFileSync(resolve(import.meta.dirname, "../support/tls/localhost.crt")),
  servername: "localhost",
});

/** The address that the test's clients have. It differs from the proxy's, 127.0.0.1. */
export const clientAddress = "127.0.0.2";

/** Sends a request to a proxy. */
export async function send(
  port: number,
  method: string,
  path: string,
  { headers = new Headers(), body }: { readonly headers?: Headers; readonly body?: unknown } = {},
): Promise<Response> {
  const content = body === undefined ? undefined : JSON.stringify(body);
  if (content !== undefined) headers.set("Content-Type", "application/json");
  const response = await new Promise<IncomingMessage>((done, fail) => {
    request(
      {
        agent,
        host: "127.0.0.1",
        port,
        localAddress: clientAddress,
        method,
        path,
        headers: { Host: `localhost:${port}`, ...Object.fromEntries(headers) },
      },
      done,
    )
      .on("error", fail)
      .end(content);
  });
  const answer = new Headers();
  for (const [name, values] of Object.entries(response.headersDistinct)) {
    for (const value of values ?? []) answer.append(name, value);
  }
  const received = await text(response);
  return new Response(received === "" ? null : received, { status: response.statusCode ?? 0, headers: answer });
}

/** Creates a browser without Fetch Metadata (Safari before 16.4), which sends only `Origin`, on a page of the proxy. */
export function createOldBrowser(port: number, prefix = "") {
  const browser = createBrowser({
    send: (method: string, path: string, init = {}) => send(port, method, path, init as object),
  });
  const headers = { "Sec-Fetch-Site": null, Origin: `https://localhost:${port}` };
  return {
    cookie: browser.cookie,
    get: (path: string) => browser.send("GET", prefix + path, { headers }),
    post: (path: string, body: unknown = {}, more: Readonly<Record<string, string>> = {}) =>
      browser.send("POST", prefix + path, { body, headers: { ...headers, ...more } }),
  };
}

/** Opens a response that has no end, through a proxy. */
export async function openResponse(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    const options = { agent, host: "127.0.0.1", port, path, headers: { Host: `localhost:${port}`, ...headers } };
    request(options, done).on("error", fail).end();
  });
}
