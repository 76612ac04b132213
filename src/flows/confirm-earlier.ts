import { StoreUnavailableError } from "../core/errors.ts";
import type { CommitPosition, Confirmation } from "../core/revocation.ts";
import { clockMargin } from "../core/revocation-horizon.ts";
import { settingRules } from "../core/settings/rules.ts";
import type { Confirmer } from "../revocation/confirm.ts";
import type { Deps } from "./deps.ts";

/**
 * The number of seconds for which a node may remember a revocation after its `until`. No node needs to remember a probe.
 */
const longestMemory = settingRules.leeway.max + clockMargin;

/**
 * Revokes a token that doesn't exist, so that the nodes report how far they have read the revocation feed.
 *
 * @returns the position of the new entry in the feed.
 * @throws StoreUnavailableError if the store can't be written to.
 */
async function appendProbe({
  store,
  random,
  clock,
}: Pick<Deps, "store" | "random" | "clock">): Promise<CommitPosition> {
  const tokenId = `probe-${Buffer.from(random(8)).toString("hex")}`;
  const { position } = await store.feed.revokeToken(tokenId, { confirm: true, until: clock.now() - longestMemory });
  return position;
}

/**
 * Waits until every revocation that was committed before the call is in force on every node. A node reads the feed in order, so
 * one wait is enough for any number of them.
 *
 * @returns how they were confirmed. `pending` also if the store doesn't answer.
 * @throws AuthError `unavailable` if the database lost the revocations in the meantime.
 */
export async function confirmEarlier(
  deps: Pick<Deps, "store" | "random" | "clock" | "confirm">,
): Promise<Confirmation> {
  try {
    return await deps.confirm(await appendProbe(deps));
  } catch (error) {
    if (error instanceof StoreUnavailableError) return "pending";
    throw error;
  }
}

/**
 * Revokes a token that doesn't exist and confirms the revocation. This finds and removes a crashed node before a caller has
 * to wait for it.
 */
export function sweepSilentNodes(deps: Pick<Deps, "store" | "random" | "clock">, confirmer: Confirmer): void {
  void appendProbe(deps)
    .then((position) => confirmer.confirm(position, { isProbe: true }))
    // Then the first confirmed revocation finds them.
    .catch(() => {});
}
