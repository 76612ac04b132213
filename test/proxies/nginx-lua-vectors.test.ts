import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { VerifierVectors } from "../../scripts/verifier-vectors.ts";
import { hasLongTests } from "../support/long-tests.ts";
import { send } from "./https.ts";
import { findVersion, hasLua, nginxWithLua, startProxy } from "./proxies.ts";

const vectors: VerifierVectors = JSON.parse(
  readFileSync(resolve(import.meta.dirname, "../../docs/verifier/vectors.json"), "utf8"),
);
const { issuer, audience, leeway, now } = vectors.configuration;
const canRun = hasLongTests && findVersion(nginxWithLua) !== null && hasLua();

/** Answers a test instead of a client: with what the files say about a token or about frames. */
const configure = (configuration: string): string =>
  configuration
    .replace("worker_processes 2", "worker_processes 1")
    .replace(/init_by_lua_block \{.*?^ {4}\}/ms, "init_by_lua_block { require('tokenpair_test') }")
    .replace(/init_worker_by_lua_block .*/, "")
    .replace('lua_package_path "', `lua_package_path "${import.meta.dirname}/lua/?.lua;`)
    .replace(
      /location \/ \{.*?^ {8}\}/ms,
      "location / { content_by_lua_block { require('tokenpair_test').answer() } }",
    );

describe.skipIf(!canRun)("the files of examples/nginx-lua", () => {
  let port: number;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const env = { VECTORS: JSON.stringify({ issuer, audience, now, jwks: vectors.keys.body }) };
    ({ port, stop } = await startProxy(nginxWithLua, "", { nodes: [1], env }, (configuration) =>
      configure(configuration).replace("env TOKENPAIR_FEED_CREDENTIAL;", "env VECTORS;"),
    ));
  });
  afterAll(() => stop?.());

  const ask = async (what: string, body: unknown): Promise<unknown> => {
    const response = await send(port, "POST", `/${what}`, { body });
    const text = await response.text();
    expect([what, response.status, text]).toEqual([what, 200, text]);
    return JSON.parse(text);
  };

  it("read the authorization header as the page says", async () => {
    for (const { header, token, code } of vectors.authorization) {
      const expected = { token: token ?? null, code: code === "not_authenticated" ? null : (code ?? null) };
      expect([header, await ask("authorization", { header: header ?? "" })]).toEqual([header, expected]);
    }
  });

  it("accept and refuse the tokens of the page's vectors", async () => {
    expect(vectors.tokens.length).toBeGreaterThan(100);
    for (const { name, token, alg = "ES256", result, claims, configuration = {} } of vectors.tokens) {
      // It knows these algorithms, and the usual names of claims.
      if (!["ES256", "EdDSA", "RS256"].includes(alg) || configuration.userIdClaim !== undefined) continue;
      const answer = await ask("token", {
        token,
        leeway: configuration.leeway ?? leeway,
        profile: configuration.accessTokenProfile ?? "jwt",
      });
      const expected =
        claims === undefined || result !== "accept"
          ? { result }
          : {
              result,
              user_id: claims.userId,
              sid: claims.sessionId,
              jti: claims.tokenId,
              ue: claims.userEpoch,
              ge: claims.globalEpoch,
            };
      expect([name, answer]).toEqual([name, expect.objectContaining(expected)]);
    }
    console.log(`proxies: nginx with Lua: ${vectors.tokens.length} tokens of the vectors`);
  });

  it("merge frames and find revocations as the page's vectors say", async () => {
    for (const { name, frames, table } of vectors.tables.filter((vector) => vector.now === undefined)) {
      const fingerprints = table.map(({ fingerprint }) => fingerprint);
      const found = await ask("table", { frames, fingerprints: [...fingerprints, "0000000000000001"] });
      expect([name, found]).toEqual([name, [...table.map(({ value, until }) => [value, until]), [0, 0]]]);
    }
    for (const { name, table, claims, revoked } of vectors.verdicts) {
      expect([name, await ask("verdict", { frames: [table], claims })]).toEqual([name, { revoked }]);
    }
    console.log(`proxies: nginx with Lua: ${vectors.verdicts.length} verdicts of the vectors`);
  });
});
