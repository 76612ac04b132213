import type { ImportedUser, ImportOutcome } from "../core/store/users.ts";
import { toUserNumber } from "./user-number.ts";

/** A user in the database who has an id or a name of the batch. */
export interface ExistingUser {
  /** The user's id. */
  readonly id: string;
  /** The user's key, or `null` for a user of the application's own table. */
  readonly usernameKey: string | null;
}

/** A user to insert, with an id. */
export interface UserToInsert extends ImportedUser {
  readonly id: string;
  /** Whether the id is the same as in the other system. */
  readonly isImported: boolean;
}

/** The changes that importing a batch of users makes. */
export interface ImportPlan {
  /** The outcomes, one for each user of the batch, in the order of the users. */
  readonly outcomes: readonly ImportOutcome[];
  /** The users with the outcome `created`, in the order of the batch. */
  readonly inserts: readonly UserToInsert[];
  /** The ids of existing users who have the same id and name as in the other system. */
  readonly sameIds: readonly string[];
  /** The highest number that was ever a user's id, including these inserts. */
  readonly lastNumber: number;
}

/**
 * Plans the import of a batch of users. Users without an id get numbers that are higher than every number in the batch.
 *
 * @param existing all users in the database who have an id or a name from the batch.
 * @param lastNumber the highest number that was ever a user's id.
 */
export function planImport(
  users: readonly ImportedUser[],
  existing: readonly ExistingUser[],
  lastNumber: number,
): ImportPlan {
  const keyById = new Map(existing.map(({ id, usernameKey }) => [id, usernameKey]));
  const idByKey = new Map(existing.map(({ id, usernameKey }) => [usernameKey, id]));
  const highestGiven = Math.max(lastNumber, ...toNumbers(users));
  let number = highestGiven;
  const inserts: UserToInsert[] = [];

  function plan(user: ImportedUser): ImportOutcome {
    const { usernameKey } = user;
    const owner = idByKey.get(usernameKey);
    if (user.id !== undefined && keyById.has(user.id)) {
      return { outcome: keyById.get(user.id) === usernameKey ? "same" : "id_taken", userId: user.id };
    }
    if (owner !== undefined) return { outcome: user.id === undefined ? "same" : "name_taken", userId: owner };
    const id = user.id ?? String(++number);
    keyById.set(id, usernameKey);
    idByKey.set(usernameKey, id);
    inserts.push({ ...user, id, isImported: user.id !== undefined });
    return { outcome: "created", userId: id };
  }

  const outcomes = users.map(plan);
  const sameIds = users.flatMap(({ id }, index) =>
    id !== undefined && outcomes[index]?.outcome === "same" ? [id] : [],
  );
  // A generated number counts even if it has more digits than an imported one may have.
  const generated = number > highestGiven ? number : 0;
  return { outcomes, inserts, sameIds, lastNumber: Math.max(lastNumber, ...toNumbers(inserts), generated) };
}

/** Returns the ids that are numbers. */
function toNumbers(users: readonly Pick<ImportedUser, "id">[]): readonly number[] {
  return users.flatMap(({ id }) => (id === undefined ? [] : (toUserNumber(id) ?? [])));
}
