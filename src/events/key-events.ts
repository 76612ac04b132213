import type { ServiceScope } from "../core/store/services.ts";
import type { BaseEvent, ClientEvent } from "./base-event.ts";

/** A key that signs access tokens was added to the key ring. */
export interface KeyAddedEvent extends ClientEvent {
  readonly type: "key_added";
  /** The key's `kid`. */
  readonly kid: string;
  /** The key's JWS algorithm. */
  readonly algorithm: string;
  /** From when on the key signs: whole seconds since the epoch. */
  readonly signsFrom: number;
}

/** A key is to be retired, or was retired at once. */
export interface KeyRetiredEvent extends ClientEvent {
  readonly type: "key_retired";
  /** The key's `kid`. */
  readonly kid: string;
  /** Until when its tokens are accepted: whole seconds since the epoch. At once: the event's time. */
  readonly retireAt: number;
}

/** The installation got a new secret, from which the keys of refresh, CSRF and device tokens are derived. */
export interface SecretRotatedEvent extends ClientEvent {
  readonly type: "secret_rotated";
  /** The `kid` of the new refresh key, such as "r2". */
  readonly kid: string;
  /** Whether what the older secrets have signed is refused from now on. */
  readonly isImmediate: boolean;
}

/** Refresh tokens are signed by their own key from now on. Nodes of version 0.1 refuse them. */
export interface RefreshKeyAdoptedEvent extends ClientEvent {
  readonly type: "refresh_key_adopted";
}

/** The keys of the ring were sealed again, under another key encryption key. */
export interface KeysRewrappedEvent extends ClientEvent {
  readonly type: "keys_rewrapped";
  /** The id of the key encryption key that seals them now. */
  readonly kekId: string;
  /** How many keys and secrets were sealed again. */
  readonly keys: number;
}

/** This node can't open a key of the ring, and continues with the keys that it had. */
export interface KeysUnreadableEvent extends BaseEvent {
  readonly type: "keys_unreadable";
  /** The `kid` of the key. */
  readonly kid: string;
  /** The id of the key encryption key that sealed it. */
  readonly kekId: string;
  /** Why: for example, that the node doesn't have that key encryption key. */
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
  /** Until when the replaced credential is valid: whole seconds since the epoch; `null`: not any more. */
  readonly previousUntil: number | null;
}

/** A service and its credentials were revoked. */
export interface ServiceRevokedEvent extends ClientEvent {
  readonly type: "service_revoked";
  /** The service's name. */
  readonly service: string;
}

/**
 * Why a service's request was refused: it has no valid credential, its credential lacks the scope, or too many failed
 * requests came from its address before it.
 */
export type ServiceRefusal = "invalid_client" | "insufficient_scope" | "throttled";

/** A request to an endpoint for services was refused. */
export interface ServiceRefusedEvent extends ClientEvent {
  readonly type: "service_refused";
  /** Why it was refused. */
  readonly refusal: ServiceRefusal;
  /** Present if the credential is valid: the service's name. */
  readonly service?: string;
}

/** What happened to the key ring and to services. */
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
