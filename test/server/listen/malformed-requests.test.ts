import { createServer } from "node:http";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { answerMalformedRequests } from "../../../src/server/listen/malformed-requests.ts";

/** What a client reads, and what is told, after `code` on a connection that is (not) being answered. */
async function fail(code: string, isAnswering = false) {
  const server = createServer();
  const told: object[] = [];
  answerMalformedRequests(
    server,
    () => isAnswering,
    (request) => void told.push(request),
  );
  const socket = new PassThrough();
  const read = text(socket).catch(() => "");
  server.emit("clientError", Object.assign(new Error("planted-secret"), { code, rawPacket: "planted-secret" }), socket);
  return { answer: await read, told };
}

describe("what Node's parser refuses", () => {
  it("is answered in the contract's form, to the byte", async () => {
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
      told: [{ status: 408, reason: "ERR_HTTP_REQUEST_TIMEOUT" }],
    });
  });

  it.each([
    ["HPE_INVALID_METHOD", 400],
    ["HPE_CHUNK_EXTENSIONS_OVERFLOW", 413],
    ["HPE_HEADER_OVERFLOW", 431],
  ])("has a status of its own: %s", async (code, status) => {
    const { answer, told } = await fail(code);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(told).toEqual([{ status, reason: code }]);
    expect(answer).not.toContain("planted-secret");
  });

  it("is only cut off where the connection is broken, or an answer is on its way", async () => {
    expect(await fail("ECONNRESET")).toEqual({ answer: "", told: [] });
    expect(await fail("HPE_INVALID_METHOD", true)).toEqual({ answer: "", told: [] });
  });
});
