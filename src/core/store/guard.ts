import type { Role } from "../role.ts";

/** What a guard knows about a user. */
export interface GuardedUser {
  /** The user's id. */
  readonly id: string;
  /** Whether the user may log in. */
  readonly isActive: boolean;
  /** The user's role, or `null`. */
  readonly role: Role | null;
}

/** The users on whom it depends whether a change is allowed. The transaction of the change keeps them locked. */
export interface GuardedUsers {
  /** Who makes the change. `null` if there is no such user. */
  readonly actor: GuardedUser | null;
  /** Who is changed. `null` if there is no such user. */
  readonly target: GuardedUser | null;
  /** How many active admins can log in with a password, besides the target. */
  readonly otherAdmins: number;
}

/**
 * Decides, in the transaction of a change, whether it is allowed. No other transaction can change the users meanwhile, so two admins
 * can't remove each other at once.
 */
export interface Guard {
  /** The id of the user who makes the change. */
  readonly actorId: string;
  /** The id of the user who is changed. */
  readonly targetId: string;
  /** Throws to refuse the change. Then nothing has changed. It must be pure, because it may be called again. */
  readonly check: (users: GuardedUsers) => void;
}
