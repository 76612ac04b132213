import { createVerifierWith } from "../../src/verifier/create-verifier.ts";
import type { VerifierEvent, VerifierOptions } from "../../src/verifier/options.ts";
import type { Verifier } from "../../src/verifier/verifier.ts";
import { toCode } from "../crypto/forge.ts";
import { createManualTime } from "../support/manual-time.ts";
import { audience, createPeer, credential, issuer, toRequest } from "./peer.ts";

const open: Verifier[] = [];

/** Closes what the tests have opened. */
export function closeVerifiers(): void {
  for (const verifier of open.splice(0)) verifier.close();
}

/** A verifier on clocks that only move when the test moves them, and its peer. */
export function setUp(options: Partial<VerifierOptions> = {}) {
  const time = createManualTime();
  const peer = createPeer(time);
  const events: VerifierEvent[] = [];
  const verifier = createVerifierWith(
    {
      ...{ issuer, audience, credential, clock: time.clock, fetch: peer.fetch },
      onEvent: (event) => void events.push(event),
      ...options,
    },
    { schedule: time.schedule, random: () => 0.5 },
  );
  open.push(verifier);
  return {
    ...{ time, peer, events, verifier },
    typesOf: () => events.map(({ type }) => type),
    /** The code with which a token is refused; `undefined` if it is accepted. */
    codeOf: (token: string) => toCode(() => verifier.authenticate(toRequest(token))),
    feedRequests: () => peer.requests.filter(({ path }) => path === "/api/auth/revocations/"),
    keyRequests: () => peer.requests.filter(({ path }) => path === "/.well-known/jwks.json"),
    /** Moves the clocks, while the peer sends a frame every second as the issuer does. */
    async live(seconds: number): Promise<void> {
      for (let passed = 0; passed < seconds; passed += 1) {
        await time.advance(Math.min(1, seconds - passed));
        await peer.beat();
      }
    },
  };
}

/** As `setUp`, when everything has been read. */
export async function setUpReady(options: Partial<VerifierOptions> = {}) {
  const set = setUp(options);
  const ready = set.verifier.ready();
  await set.time.advance(0.01);
  await ready;
  return set;
}
