import type { ClientInfo } from "../../core/client-info.ts";
import type { Random } from "../../core/runtime/random.ts";
import type { Store } from "../../core/store/index.ts";
import type { ChangedService, Service, ServiceScope } from "../../core/store/services.ts";
import { createServiceCredential } from "../../crypto/service-credential.ts";
import { type CommitDeps, commit } from "../commit.ts";

/** The dependencies of the flows about services. */
export interface ServiceDeps extends CommitDeps {
  readonly store: Pick<Store, "services">;
  readonly random: Random;
}

/** A service with its new credential. The credential can be shown only now, because only its hash is stored. */
export interface IssuedCredential {
  readonly service: Service;
  readonly credential: string;
}

/** The form of a service's name. A colon is not allowed, because of HTTP Basic authentication. */
export const serviceName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** All scopes that a service can have. */
export const serviceScopes: readonly ServiceScope[] = Object.freeze(["feed", "introspect", "revoke"]);

/**
 * Returns every service, ordered by name.
 *
 * @throws StoreUnavailableError if the store can't answer.
 */
export function listServices({ store }: Pick<ServiceDeps, "store">): Promise<readonly Service[]> {
  return store.services.list();
}

/**
 * Adds a service.
 *
 * @returns the service with its credential, or `null` if there already is a service with this name.
 * @throws TypeError if the name is not allowed, or if no scope is given.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function createService(
  deps: ServiceDeps,
  { name, scopes }: { readonly name: string; readonly scopes: readonly ServiceScope[] },
  client: ClientInfo,
): Promise<IssuedCredential | null> {
  if (!serviceName.test(name)) {
    throw new TypeError("the name of a service must have 1 to 64 letters, digits, dots, dashes and underscores");
  }
  if (scopes.length === 0) throw new TypeError("a service needs a scope");
  const { credential, hash: credentialHash, prefix } = createServiceCredential(deps.random);
  const service = { name, scopes: [...new Set(scopes)].sort(), credentialHash, prefix };
  const created = await commit<ChangedService, ChangedService | null>(
    deps,
    ({ now: time }) => [{ type: "service_added", time, service: name, scopes: service.scopes, client }],
    (audit) => deps.store.services.create(service, audit),
  );
  return created === null ? null : { service: created, credential };
}

/**
 * Gives a service a new credential. The previous one stays valid for `overlap` seconds.
 *
 * @returns the service with its new credential, or `null` if there is no service with this name.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function rotateService(
  deps: ServiceDeps,
  name: string,
  { overlap, client }: { readonly overlap: number; readonly client: ClientInfo },
): Promise<IssuedCredential | null> {
  const { credential, hash: credentialHash, prefix } = createServiceCredential(deps.random);
  const rotated = await commit<ChangedService, ChangedService | null>(
    deps,
    ({ now: time, previousUntil }) => [{ type: "service_rotated", time, service: name, previousUntil, client }],
    (audit) => deps.store.services.rotate(name, { credentialHash, prefix, overlap }, audit),
  );
  return rotated === null ? null : { service: rotated, credential };
}

/**
 * Revokes a service and its credentials.
 *
 * @returns whether there was a service with this name.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function revokeService(deps: ServiceDeps, name: string, client: ClientInfo): Promise<boolean> {
  const revoked = await commit<ChangedService, ChangedService | null>(
    deps,
    ({ now: time }) => [{ type: "service_revoked", time, service: name, client }],
    (audit) => deps.store.services.revoke(name, audit),
  );
  return revoked !== null;
}
