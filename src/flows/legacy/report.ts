import type { Deps } from "../deps.ts";

/**
 * Emits an event at startup that says whether refresh tokens of simplejwt are accepted, and until when. Does nothing
 * without `legacyRefreshUntil`.
 */
export async function reportLegacyKey({
  legacyTokens,
  store,
  clock,
  emit,
}: Pick<Deps, "legacyTokens" | "store" | "clock" | "emit">): Promise<void> {
  if (legacyTokens === null) return;
  const { until } = legacyTokens;
  const time = clock.now();
  const { revoked: revokedTokens } = await store.legacy.count();
  emit({ type: "legacy_key", time, state: time < until ? "accepted" : "ignored", until, revokedTokens });
}
