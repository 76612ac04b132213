import type { ClientInfo } from "../core/client-info.ts";
import { AuthError } from "../core/errors.ts";
import type { ServiceScope } from "../core/store/services.ts";
import { hashServiceCredential } from "../crypto/service-credential.ts";
import type { HttpDeps } from "./endpoint.ts";
import type { HeaderSource } from "./request/headers.ts";
import { createServiceFailureLimit } from "./request/rate-limits.ts";
import { readServiceCredential } from "./request/service-credential.ts";

/** A service's request, before its body is read. */
export interface ServiceCall {
  /** The scope that the request needs. */
  readonly scope: ServiceScope;
  readonly headers: HeaderSource;
  /** Who sent the request. */
  readonly client: ClientInfo;
}

/**
 * Requires that the header `Authorization` has the credential of a service with the required scope. Cookies and users'
 * tokens are ignored.
 *
 * @returns who sent the request. The service is the actor.
 * @throws AuthError `invalid_client` or `insufficient_scope`. `throttled` if too many credentials from the client's address
 * were wrong.
 * @throws StoreUnavailableError if the store can't answer.
 */
export type RequireService = (call: ServiceCall) => Promise<ClientInfo>;

/** Creates the check of service credentials. */
export function createServiceCheck(deps: HttpDeps): RequireService {
  const failures = createServiceFailureLimit(deps);
  // Services often share an address, and one of them with an outdated credential must not stop the others. There are only as
  // many entries as an operator has created.
  const accepted = new Set<string>();
  return async ({ scope, headers, client }) => {
    const presented = readServiceCredential(headers);
    const key = presented === null ? null : toKey(presented.credential);
    if (key !== null && !accepted.has(key)) await failures.requireBelow(client);
    try {
      const { name } = await deps.flows.authenticateService(presented, { scope, client });
      if (key !== null) accepted.add(key);
      return { ...client, actor: `service/${name}` };
    } catch (error) {
      if (key !== null && error instanceof AuthError && error.code === "invalid_client") {
        accepted.delete(key);
        await failures.count(client);
      }
      throw error;
    }
  };
}

/** Returns the hash of a credential as text, or an empty text for anything that isn't a credential. */
function toKey(credential: string): string {
  return Buffer.from(hashServiceCredential(credential) ?? []).toString("base64");
}
