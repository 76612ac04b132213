import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import type { FoundService, Service, ServiceScope } from "../../core/store/services.ts";
import { hashServiceCredential } from "../../crypto/service-credential.ts";
import type { Deps } from "../deps.ts";

/** What a service sent to authenticate itself. */
export interface PresentedCredential {
  /** The credential, not yet verified. It can be any text. */
  readonly credential: string;
  /** The name that the service sent with the credential. Default: the service sent no name. */
  readonly name?: string;
}

/** A request of a service. */
export interface ServiceRequest {
  /** The scope that the request needs. */
  readonly scope: ServiceScope;
  /** Who sent the request. */
  readonly client: ClientInfo;
}

/**
 * Returns the service that a credential belongs to, and checks that the service has the required scope. Queries the store
 * each time, so that a revoked credential is refused immediately.
 *
 * @param presented the credential, or `null` if there is none.
 * @returns the service.
 * @throws AuthError `invalid_client` if the credential is not valid, or if its service has a different name.
 * `insufficient_scope` if the service doesn't have the scope.
 * @throws StoreUnavailableError if the store can't answer.
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
