/** Who sent a request. Each member is present only if its value is known. */
export interface ClientInfo {
  /** The client's IP address. */
  readonly ip?: string | undefined;
  /** The `User-Agent` header. */
  readonly userAgent?: string | undefined;
  /** Who acted, if it was not the user: "cli/root", or the name that the application gives a member of its staff. */
  readonly actor?: string | undefined;
  /** Why the actor acted, in the actor's own words. It is kept in the audit log. */
  readonly note?: string | undefined;
}
