import type { ClientInfo } from "../../core/client-info.ts";
import type { ErasedUser } from "../../core/store/audit.ts";
import { type CommitDeps, commit } from "../commit.ts";
import type { Deps } from "../deps.ts";

/** The dependencies of `eraseUser`: fewer than `Deps`, so that a CLI without a signing key can provide them. */
export type EraseDeps = Pick<Deps, "store"> & CommitDeps;

/**
 * Erases what tokenpair still stores about the devices of a deleted user. The change is recorded in the audit log.
 *
 * @returns how much was erased, or `null` if the user still exists. In that case, nothing was erased.
 */
export function eraseUser(deps: EraseDeps, userId: string, client: ClientInfo = {}): Promise<ErasedUser | null> {
  return commit(
    deps,
    ({ now: time }: ErasedUser) => [{ type: "user_changed", time, userId, change: "erased", client }],
    (audit) => deps.store.audit.erase(userId, audit),
  );
}
