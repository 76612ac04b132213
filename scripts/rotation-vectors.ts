/**
 * Writes docs/rotation-vectors.json: what docs/rotation.md specifies, as examples. The same in every run, and made without src/, whose
 * code must agree with it: test/flows/refresh/rotation-vectors.test.ts.
 *
 * Usage: node scripts/rotation-vectors.ts [--check]
 *
 * `--check` writes nothing, and fails if the file differs.
 */
import { toDecisionVectors } from "./vectors/rotation-decisions.ts";
import { sid, toDerivationVectors } from "./vectors/rotation-derivations.ts";
import { settings } from "./vectors/rotation-rows.ts";
import { writeVectors } from "./vectors/write.ts";

/** Returns everything in docs/rotation-vectors.json. */
export function toRotationVectors() {
  return { settings: { ...settings, sid }, ...toDerivationVectors(), decisions: toDecisionVectors() };
}

/** The type of docs/rotation-vectors.json. */
export type RotationVectors = ReturnType<typeof toRotationVectors>;

if (import.meta.main) writeVectors("docs/rotation-vectors.json", toRotationVectors());
