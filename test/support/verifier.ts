import { randomUUID } from "node:crypto";
import type { Store } from "../../src/core/store/index.ts";
import { exportKeyMaterial, generateKeyMaterial } from "../../src/crypto/keys/key-material.ts";
import type { AnyAuth } from "../../src/index.ts";
import { createVerifier } from "../../src/verifier/create-verifier.ts";
import type { VerifierOptions } from "../../src/verifier/options.ts";
import type { Verifier } from "../../src/verifier/verifier.ts";
import { addService } from "./services.ts";

/** The settings of an issuer whose tokens others can verify. */
export const issuerSettings = Object.freeze({
  signingKey: exportKeyMaterial(generateKeyMaterial("ES256")).toString(),
  secret: "a secret of the tests, at least 32 bytes long",
  issuer: "https://id.example",
  audience: "api",
  // A pause of a busy machine must not make a confirmation `pending`.
  confirmTimeout: 60,
});

/** What a verifier reads from. */
export interface Issuer {
  readonly auth: Pick<AnyAuth, "fetch">;
  readonly store: Store;
}

/** Opens a verifier of an issuer in this process, and waits until it is ready. Close it after the test. */
export async function openVerifier(issuer: Issuer, options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const { credential } = await addService(issuer, ["feed"], `service-${randomUUID()}`);
  const verifier = createVerifier({
    ...{ issuer: issuerSettings.issuer, audience: issuerSettings.audience, credential },
    fetch: (input, init) => issuer.auth.fetch(new Request(input as string, init as RequestInit)),
    ...options,
  });
  await verifier.ready();
  return verifier;
}

/** Waits until every verifier has applied what has been revoked so far. */
export async function whenVerifiersKnow(auth: Pick<AnyAuth, "revokeToken">): Promise<void> {
  const { confirmed } = await auth.revokeToken(randomUUID(), { confirmed: true });
  if (confirmed !== "acks") throw new Error(`not acknowledged by every verifier, but ${confirmed}`);
}
