/**
 * Returns whether a session is live. Doesn't consider its user.
 *
 * @param now the database's time, in whole seconds since the epoch.
 */
export function toSessionStatus(session, now) {
  if (session.revokedAt !== null) return "revoked";
  return now < session.idleExpiresAt && now < session.absoluteExpiresAt ? "live" : "expired";
}
