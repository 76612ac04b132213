/**
 * Writes docs/verifier/vectors.json: tokens, frames and states for whoever writes a verifier from docs/verifier/README.md. The same
 * in every run, and made without src/, whose code must agree with it: test/docs/verifier-vectors.test.ts.
 *
 * Usage: node scripts/verifier-vectors.ts [--check]
 *
 * `--check` writes nothing, and fails if the file differs.
 */
import { toAnswerVectors, toAuthorizationVectors, toVerdictVectors } from "./vectors/answers.ts";
import { configuration } from "./vectors/forge.ts";
import { toFingerprintVectors, toFrameVectors, toTableVectors } from "./vectors/frames.ts";
import { toFreshnessVectors } from "./vectors/freshness.ts";
import { toKeySetVectors } from "./vectors/key-sets.ts";
import { toKeyVersionVectors } from "./vectors/key-versions.ts";
import { published } from "./vectors/keys.ts";
import { toResponseVectors } from "./vectors/responses.ts";
import { toTokenVectors } from "./vectors/tokens.ts";
import { writeVectors } from "./vectors/write.ts";

/** Returns everything in docs/verifier/vectors.json. */
export function toVerifierVectors() {
  return {
    configuration,
    keys: published,
    keySets: toKeySetVectors(),
    authorization: toAuthorizationVectors(),
    tokens: toTokenVectors(),
    fingerprints: toFingerprintVectors(),
    frames: toFrameVectors(),
    tables: toTableVectors(),
    responses: toResponseVectors(),
    verdicts: toVerdictVectors(),
    freshness: toFreshnessVectors(),
    keyVersions: toKeyVersionVectors(),
    answers: toAnswerVectors(),
  };
}

/** The type of docs/verifier/vectors.json. */
export type VerifierVectors = ReturnType<typeof toVerifierVectors>;

if (import.meta.main) writeVectors("docs/verifier/vectors.json", toVerifierVectors());
