import type { ServiceScope } from "../core/store/services.ts";
import type { BaseEvent, ClientEvent } from "./base-event.ts";

/** A key that signs access tokens was added to the key ring. */
export interface KeyAddedEvent extends ClientEvent {
  readonly type: "key_added";
  /** The key's `kid`. */
  readonly kid: string;
  /** The key's JWS algorithm. */
  readonly algorithm: string;
  /** The time from which the key signs, in whole seconds since the epoch. */
  readonly signsFrom: number;
}

/** A key will be retired, or was retired immediately. */
export interface KeyRetiredEvent extends ClientEvent {
  readonly type: "key_retired";
  /** The key's `kid`. */
  readonly kid: string;
  /**
   * The time until which the key's tokens are accepted, in whole seconds since the epoch. If the key was retired
   * immediately, it is the time of the event.
   */
  readonly retireAt: number;
}

/** The installation got a new secret, from which the keys of refresh, CSRF and device tokens are derived. */
export interface SecretRotatedEvent extends ClientEvent {
  readonly type: "secret_rotated";
  /** The `kid` of the new refresh key, such as "r2". */
  readonly kid: string;
  /** Whether everything that was signed with the older secrets is refused from now on. */
  readonly isImmediate: boolean;
}

/** From now on, refresh tokens are signed by their own key. Nodes of version 0.1 refuse them. */
export interface RefreshKeyAdoptedEvent extends ClientEvent {
  readonly type: "refresh_key_adopted";
}

/** The keys of the ring were encrypted again, with a different key encryption key. */
export interface KeysRewrappedEvent extends ClientEvent {
  readonly type: "keys_rewrapped";
  /** The id of the key encryption key that now encrypts them. */
  readonly kekId: string;
  /** The number of keys and secrets that were encrypted again. */
  readonly keys: number;
}

/** This node can't decrypt a key of the ring, and continues with the keys that it had before. */
export interface KeysUnreadableEvent extends BaseEvent {
  readonly type: "keys_unreadable";
  /** The `kid` of the key. */
  readonly kid: string;
  /** The id of the key encryption key that encrypted it. */
  readonly kekId: string;
  /** Why the node can't decrypt it: for example, because it doesn't have that key encryption key. */
  readonly reason: string;
}

/** A service was added. */
export interface ServiceAddedEvent extends ClientEvent {
  readonly type: "service_added";
  /** The service's name. */
  readonly service: string;
  /** What the service may do. */
  readonly scopes: readonly ServiceScope[];
}

/** A service got a new credential. */
export interface ServiceRotatedEvent extends ClientEvent {
  readonly type: "service_rotated";
  /** The service's name. */
  readonly service: string;
  /**
   * The time until which the replaced credential is valid, in whole seconds since the epoch. `null` if it is no longer
   * valid.
   */
  readonly previousUntil: number | null;
}

/** A service and its credentials were revoked. */
export interface ServiceRevokedEvent extends ClientEvent {
  readonly type: "service_revoked";
  /** The service's name. */
  readonly service: string;
}

/**
 * Why a service's request was refused. `invalid_client`: it has no valid credential. `insufficient_scope`: its credential
 * doesn't have the required scope. `throttled`: too many failed requests came from its address.
 */
export type ServiceRefusal = "invalid_client" | "insufficient_scope" | "throttled";

/** A request to an endpoint for services was refused. */
export interface ServiceRefusedEvent extends ClientEvent {
  readonly type: "service_refused";
  /** Why it was refused. */
  readonly refusal: ServiceRefusal;
  /** The service's name. Present if the credential is valid. */
  readonly service?: string;
}

/** All events about the key ring and about services. */
export type KeyEvent =
  | KeyAddedEvent
  | KeyRetiredEvent
  | SecretRotatedEvent
  | RefreshKeyAdoptedEvent
  | KeysRewrappedEvent
  | KeysUnreadableEvent
  | ServiceAddedEvent
  | ServiceRotatedEvent
  | ServiceRevokedEvent
  | ServiceRefusedEvent;
