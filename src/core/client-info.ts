/** Who sent a request. Each member is present only if the caller knows it. */
export interface ClientInfo {
  /** The client's IP address. */
  readonly ip?: string | undefined;
  /** The `User-Agent` header. */
  readonly userAgent?: string | undefined;
  /** Who acted, if not the user: "cli/root", or the name that the application gives a staff member. */
  readonly actor?: string | undefined;
}
