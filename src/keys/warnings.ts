import type { Settings } from "../core/settings/settings.ts";

/**
 * Returns what is unsafe about tokens that are signed with a private key, as full sentences.
 *
 * @param algorithm the algorithm of the key that signs access tokens, or `null` if it is unknown.
 */
export function toKeyWarnings(
  algorithm: string | null,
  { issuer, audience }: Pick<Settings, "issuer" | "audience">,
): readonly string[] {
  if (algorithm === null || algorithm.startsWith("HS") || (issuer !== undefined && audience !== undefined)) return [];
  const missing =
    issuer !== undefined ? "audience is" : audience !== undefined ? "issuer is" : "issuer and audience are";
  return [
    `${missing} not set. Services that verify tokens with the public key can't tell tokens for them from others. Set both.`,
  ];
}
