import { createServer } from "node:http";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { answerMalformedRequests } from "../../../src/server/listen/malformed-requests.ts";

/** Makes the parser fail with `code`. @returns what the client reads, and what is reported. */
async function fail(code: string, isAnswering = false) {
  const server = createServer();
  const reported: object[] = [];
  answerMalformedRequests(
    server,
    () => isAnswering,
    (request) => void reported.push(request),
  );
  const socket = new PassThrough();
  const read = text(socket).catch(() => "");
  server.emit("clientError", Object.assign(new Error("planted-secret"), { code, rawPacket: "planted-secret" }), socket);
  return { answer: await read, reported };
}

describe("a request that Node's parser refuses", () => {
  it("gets a JSON error of the contract with the standard headers", async () => {
    const body = '{"detail":"The request took too long.","code":"request_timeout"}';
    expect(await fail("ERR_HTTP_REQUEST_TIMEOUT")).toEqual({
      answer: [
        "HTTP/1.1 408 Request Timeout",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: same-origin",
        "Content-Security-Policy: default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
        "X-Frame-Options: DENY",
        "Cross-Origin-Resource-Policy: same-origin",
        "Content-Type: application/json",
        `Content-Length: ${body.length}`,
        "Connection: close",
        "",
        body,
      ].join("\r\n"),
      reported: [{ status: 408, reason: "ERR_HTTP_REQUEST_TIMEOUT" }],
    });
  });

  it.each([
    ["HPE_INVALID_METHOD", 400],
    ["HPE_CHUNK_EXTENSIONS_OVERFLOW", 413],
    ["HPE_HEADER_OVERFLOW", 431],
  ])("is answered by its code: %s with %i", async (code, status) => {
    const { answer, reported } = await fail(code);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(reported).toEqual([{ status, reason: code }]);
    expect(answer).not.toContain("planted-secret");
  });

  it("gets no answer if the connection is broken or another response has begun", async () => {
    expect(await fail("ECONNRESET")).toEqual({ answer: "", reported: [] });
    expect(await fail("HPE_INVALID_METHOD", true)).toEqual({ answer: "", reported: [] });
  });
});
