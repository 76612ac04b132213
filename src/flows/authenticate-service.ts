import type { ClientInfo } from "../core/client-info.ts";
import { AuthError } from "../core/errors.ts";
import type { FoundService, Service, ServiceScope } from "../core/store/services.ts";
import { hashServiceCredential } from "../crypto/service-credential.ts";
import type { Deps } from "./deps.ts";

/** What a service presented to prove who it is. */
export interface PresentedCredential {
  /** The credential, not yet verified. It may be any text. */
  readonly credential: string;
  /** The name that the service gave with it. Default: none was given. */
  readonly name?: string;
}

/** What a service wants to do. */
export interface ServiceRequest {
  /** The scope that it needs. */
  readonly scope: ServiceScope;
  /** Who sent the request. */
  readonly client: ClientInfo;
}

/**
 * Finds the service with a credential, and requires a scope of it. The store is queried each time, so that a credential that
 * was revoked is refused at once.
 *
 * @param presented `null` if nothing was presented.
 * @returns the service.
 * @throws AuthError `invalid_client` if no service that isn't revoked has the credential, or the service has another name;
 * `insufficient_scope`. StoreUnavailableError.
 */
export async function authenticateService(
  deps: Pick<Deps, "store" | "clock" | "emit">,
  presented: PresentedCredential | null,
  { scope, client }: ServiceRequest,
): Promise<FoundService> {
  if (presented === null) throw new AuthError("invalid_client", "the request has no service credential");
  const refuse = (refusal: "invalid_client" | "insufficient_scope", reason: string, service?: Service): AuthError => {
    const subject = service === undefined ? {} : { service: service.name };
    deps.emit({ type: "service_refused", time: deps.clock.now(), refusal, client, ...subject });
    return new AuthError(refusal, reason);
  };

  const hash = hashServiceCredential(presented.credential);
  if (hash === null) throw refuse("invalid_client", "not a service credential");
  const service = await deps.store.services.find(hash);
  if (service === null) throw refuse("invalid_client", "no service has this credential");
  if (presented.name !== undefined && presented.name !== service.name) {
    throw refuse("invalid_client", "the credential is another service's", service);
  }
  if (!service.scopes.includes(scope)) {
    throw refuse("insufficient_scope", `the service lacks the scope ${scope}`, service);
  }
  return service;
}
