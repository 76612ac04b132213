import type { AuthUser } from "../../core/user.ts";
import type { Deps } from "../deps.ts";
import { callHook } from "../hook.ts";
import { toPlainObject } from "../sessions/token-pair.ts";

/** What the application tells the page about its user: a JSON object. */
export type PublicClaims = Readonly<Record<string, unknown>>;

/** An option of every flow whose answer a page shows. */
export interface PublicClaimsOptions {
  /** Whether `publicClaims` of the result is needed. Default: false. */
  readonly readsPublicClaims?: boolean;
}

/** A part of the result of every flow whose answer a page shows. */
export interface WithPublicClaims {
  /** What `publicClaims` of the settings returns. Missing without that hook, or if it isn't needed. */
  readonly publicClaims?: PublicClaims;
}

/**
 * Calls the `publicClaims` hook. Call it before the change whose answer has the claims: it can fail.
 *
 * @throws AuthError `unavailable` if the hook fails or doesn't return an object.
 */
export async function findPublicClaims(
  { settings }: Pick<Deps, "settings">,
  user: AuthUser,
  { readsPublicClaims = false }: PublicClaimsOptions,
): Promise<WithPublicClaims> {
  const { publicClaims: hook } = settings;
  if (hook === undefined || !readsPublicClaims) return {};
  return { publicClaims: await callHook("publicClaims", async () => toPlainObject(await hook(user), "publicClaims")) };
}

/** Returns what the application tells the page about this user; `undefined` without the hook. @throws AuthError `unavailable` */
export async function readPublicClaims(
  deps: Pick<Deps, "settings">,
  user: AuthUser,
): Promise<PublicClaims | undefined> {
  return (await findPublicClaims(deps, user, { readsPublicClaims: true })).publicClaims;
}
