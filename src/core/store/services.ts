import type { AuditOf } from "./audit.ts";

/** What a service may do with its credential: read the revocation feed, introspect tokens, or revoke tokens. */
export type ServiceScope = "feed" | "introspect" | "revoke";

/** The services that may use the endpoints for services. Every change raises the version of `KeyRecords`. */
export interface ServiceStore {
  /** Adds a service. @returns the service, or `null` if the name is taken by one that isn't revoked. */
  create(service: NewService, audit?: AuditOf<ChangedService>): Promise<ChangedService | null>;
  /** Returns every service that isn't revoked, by name. */
  list(): Promise<readonly Service[]>;
  /** Returns the service whose live credential has this hash; `null` if there is none. */
  find(credentialHash: Uint8Array): Promise<FoundService | null>;
  /**
   * Replaces a service's credential. The replaced one stays valid for `overlap` seconds; one that was replaced before ends.
   *
   * @returns the service, or `null` if there is none with this name.
   */
  rotate(name: string, credential: NewCredential, audit?: AuditOf<ChangedService>): Promise<ChangedService | null>;
  /** Revokes a service and its credentials. Its name can be used again. @returns the service, or `null` if there was none. */
  revoke(name: string, audit?: AuditOf<ChangedService>): Promise<ChangedService | null>;
}

/** A service that uses its own credential instead of a user's token. */
export interface Service {
  /** The service's name: letters, digits, `-`, `_` and `.`. */
  readonly name: string;
  /** What it may do. */
  readonly scopes: readonly ServiceScope[];
  /** The first 8 characters of the credential after `tps_`, so that operators can tell credentials apart. */
  readonly prefix: string;
  /** When the service was added: whole seconds since the epoch. */
  readonly createdAt: number;
  /** Until when the replaced credential is valid too; `null` if there is none. */
  readonly previousUntil: number | null;
}

/** A service that was changed. */
export interface ChangedService extends Service {
  /** When it was changed: the database's clock in whole seconds since the epoch. */
  readonly now: number;
}

/** A service that was found by a credential. */
export interface FoundService extends Service {
  /** Until when this credential is valid, if it was replaced; `null` if it is the service's current one. */
  readonly validUntil: number | null;
}

/** A service to add. */
export interface NewService {
  /** The service's name. */
  readonly name: string;
  /** What it may do. */
  readonly scopes: readonly ServiceScope[];
  /** SHA-256 of the credential: it has 256 random bits, so it needs no password hash. */
  readonly credentialHash: Uint8Array;
  /** The first 8 characters of the credential after `tps_`. */
  readonly prefix: string;
}

/** A credential that replaces another. */
export interface NewCredential extends Pick<NewService, "credentialHash" | "prefix"> {
  /** For how many seconds the replaced credential stays valid. */
  readonly overlap: number;
}
