import type { AuditOf } from "./audit.ts";

/** What a service may do with its credential: read the revocation feed, introspect tokens, or revoke tokens. */
export type ServiceScope = "feed" | "introspect" | "revoke";

/** The services that may use the endpoints for services. Every change raises the version of `KeyRecords`. */
export interface ServiceStore {
  /**
   * Adds a service.
   *
   * @returns the service, or `null` if a service with this name exists and isn't revoked.
   */
  create(service: NewService, audit?: AuditOf<ChangedService>): Promise<ChangedService | null>;
  /** Returns every service that isn't revoked, ordered by name. */
  list(): Promise<readonly Service[]>;
  /** Returns the service that has a valid credential with this hash, or `null` if there is no such service. */
  find(credentialHash: Uint8Array): Promise<FoundService | null>;
  /**
   * Replaces a service's credential. The replaced credential stays valid for `overlap` seconds. A credential that was
   * replaced earlier is no longer valid.
   *
   * @returns the service, or `null` if there is no service with this name.
   */
  rotate(name: string, credential: NewCredential, audit?: AuditOf<ChangedService>): Promise<ChangedService | null>;
  /**
   * Revokes a service and its credentials. Its name can be used again.
   *
   * @returns the service, or `null` if there is no service with this name.
   */
  revoke(name: string, audit?: AuditOf<ChangedService>): Promise<ChangedService | null>;
}

/** A service that uses its own credential instead of a user's token. */
export interface Service {
  /** The service's name: letters, digits, `-`, `_` and `.`. */
  readonly name: string;
  /** What the service may do. */
  readonly scopes: readonly ServiceScope[];
  /** The first 8 characters of the credential after `tps_`, by which operators can recognize the credential. */
  readonly prefix: string;
  /** The time at which the service was added, in whole seconds since the epoch. */
  readonly createdAt: number;
  /**
   * The time until which the replaced credential is also valid, in whole seconds since the epoch. `null` if there is no
   * replaced credential.
   */
  readonly previousUntil: number | null;
}

/** A service that was changed. */
export interface ChangedService extends Service {
  /** The time of the change, in whole seconds since the epoch on the database's clock. */
  readonly now: number;
}

/** A service that was found by its credential. */
export interface FoundService extends Service {
  /**
   * The time until which this credential is valid, if it was replaced. `null` if it is the service's current credential.
   */
  readonly validUntil: number | null;
}

/** A service to add. */
export interface NewService {
  /** The service's name. */
  readonly name: string;
  /** What the service may do. */
  readonly scopes: readonly ServiceScope[];
  /** SHA-256 of the credential. It needs no password hash, because the credential has 256 random bits. */
  readonly credentialHash: Uint8Array;
  /** The first 8 characters of the credential after `tps_`. */
  readonly prefix: string;
}

/** A credential that replaces another one. */
export interface NewCredential extends Pick<NewService, "credentialHash" | "prefix"> {
  /** How long the replaced credential stays valid, in seconds. */
  readonly overlap: number;
}
