import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { ec } from "../../scripts/vectors/keys.ts";
import { AuthError } from "../../src/core/errors.ts";
import { createVerifierWith } from "../../src/verifier/create-verifier.ts";
import { createIssuerKeys } from "../../src/verifier/issuer-keys.ts";
import type { Verifier } from "../../src/verifier/verifier.ts";
import { createManualTime, settled } from "../support/manual-time.ts";
import { credential, toRequest } from "./peer.ts";
import { toBytes, vectors } from "./vectors-of-the-page.ts";

const { configuration, keys } = vectors;
let verifier: Verifier | undefined;
afterEach(() => verifier?.close());

/** A verifier in a state, whose issuer has answered each request once. */
async function createVerifierIn(state: { readonly keys: string; readonly stale: boolean; readonly table: string }) {
  const time = createManualTime(configuration.now - (state.stale ? 11 : 0));
  let isAnswered = false;
  async function send(input: unknown): Promise<Response> {
    if (String(input).includes("/.well-known/")) {
      return state.keys === "none" ? new Response(null, { status: 503 }) : new Response(keys.body);
    }
    if (isAnswered) throw new TypeError("nothing more");
    isAnswered = true;
    return new Response(toBytes(state.table) as BodyInit);
  }
  const { issuer, audience, leeway, clockTolerance } = configuration;
  const created = createVerifierWith(
    {
      ...{ issuer, audience, leeway, credential, clock: time.clock, fetch: send as typeof fetch, maxStaleness: 10 },
      revocations: "poll",
      settings: { clockTolerance },
    },
    { schedule: time.schedule, random: () => 1 },
  );
  verifier = created;
  await time.advance(0);
  for (let i = 0; i < 10; i += 1) await settled();
  if (state.stale) await time.advance(11);
  return { time, check: created.check };
}

describe("what a verifier answers", () => {
  it.each([
    ...vectors.answers,
    ...vectors.verdicts.map(({ revoked, ...vector }) => ({
      ...vector,
      keys: "current",
      stale: false,
      ...(revoked ? { status: 401, message: "Token is blacklisted" } : { status: 200, message: undefined }),
    })),
  ])("is that of the vector: $name", async ({ token, status, message, ...state }) => {
    const { check, time } = await createVerifierIn(state);
    const checked = check(toRequest(token));
    // It waits for keys that are being read.
    await time.advance(1);
    const result = await checked;
    if (result.ok) return expect(status).toBe(200);
    expect(result.response.status).toBe(status);
    expect(result.response.headers.get("Retry-After")).toBe(status === 503 ? "1" : null);
    const { messages } = await result.response.json();
    expect(messages?.[0].message).toBe(message);
  });
});

describe("the keys of a verifier", () => {
  it.each(vectors.keyVersions)("follow the vector: $name", async ({ maxStaleness, steps }) => {
    const time = createManualTime();
    /** The bodies of the vector, whose versions are names, by name. */
    const bodies = new Map(
      steps.flatMap((step) => (step.event === "keys" ? [[step.version, toBody(step.version, step.kids)]] : [])),
    );
    const toVersion = (name: string) => {
      const body = bodies.get(name);
      const digest = body === undefined ? name : createHash("sha256").update(body).digest("hex");
      return Number.parseInt(digest.slice(0, 8), 16);
    };
    let body: string | undefined;
    const issuerKeys = createIssuerKeys({
      requests: {
        readKeys: async () => {
          if (body === undefined) throw new Error("down");
          return Buffer.from(body);
        },
      },
      clock: time.clock,
      schedule: time.schedule,
      maxStaleness,
      isFeedFresh: () => true,
      onChange: () => {},
      onFailure: () => {},
      onRead: () => {},
    });

    for (const step of steps) {
      await time.advance((step.at - time.clock.monotonic()) / 1000);
      if (step.event === "check")
        expect(statusOf(() => issuerKeys.current().find({ alg: "ES256", kid: step.kid }))).toBe(step.status);
      else if (step.event === "frame") issuerKeys.observe(toVersion(step.keyVersion));
      else {
        body = step.event === "keys" ? bodies.get(step.version) : undefined;
        await issuerKeys.read();
      }
    }
  });
});

/** Returns a JWK Set with a key under each of these names. */
function toBody(name: string, kids: readonly string[]): string {
  return JSON.stringify({ name, keys: kids.map((kid) => ({ ...ec.jwk, kid })) });
}

/** Returns the status of a token whose key is looked up. */
function statusOf(find: () => unknown): number {
  try {
    return find() === null ? 401 : 200;
  } catch (error) {
    if (error instanceof AuthError && error.code === "unavailable") return 503;
    throw error;
  }
}
