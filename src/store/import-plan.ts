/** A user who is there, and may be in the way of others. */
import type { ImportedUser, ImportOutcome } from "../core/store/users.ts";
export interface Occupant {
  readonly id: string;
  /** `null`: of a user kept in the application's own table. */
  readonly usernameKey: string | null;
}

/** An imported user with the id that is to be inserted. */
export type Insert = ImportedUser & { readonly id: string };

export interface ImportPlan {
  /** For each user, in order. */
  readonly outcomes: readonly ImportOutcome[];
  /** The users whose outcome is `created`, in order. */
  readonly inserts: readonly Insert[];
  /** The highest number that is a user's id, once they are inserted. */
  readonly lastNumber: number;
}

/** What id counts as a number, so that the users to come must not be given it. */
export const isNumber = (id: string) => /^[1-9]\d{0,14}$/.test(id);

/**
 * What becomes of a batch where `occupants` holds every user who has an id or a name of the batch, and `lastNumber` is the
 * highest number that was ever a user's id. Users without an id are numbered after every id of the batch.
 */
export function planImport(
  users: readonly ImportedUser[],
  occupants: readonly Occupant[],
  lastNumber: number,
): ImportPlan {
  const keyOf = new Map(occupants.map(({ id, usernameKey }) => [id, usernameKey]));
  const idOf = new Map(occupants.map(({ id, usernameKey }) => [usernameKey, id]));
  const numbers = users.flatMap(({ id }) => (id !== undefined && isNumber(id) ? [Number(id)] : []));
  const given = Math.max(lastNumber, ...numbers);
  let number = given;
  const inserts: Insert[] = [];

  function place(user: ImportedUser): ImportOutcome {
    const { usernameKey } = user;
    const holder = idOf.get(usernameKey);
    if (user.id !== undefined && keyOf.has(user.id)) {
      return { outcome: keyOf.get(user.id) === usernameKey ? "same" : "id_taken", userId: user.id };
    }
    if (holder !== undefined) return { outcome: user.id === undefined ? "same" : "name_taken", userId: holder };
    const id = user.id ?? String(++number);
    keyOf.set(id, usernameKey);
    idOf.set(usernameKey, id);
    inserts.push({ ...user, id });
    return { outcome: "created", userId: id };
  }

  const outcomes = users.map(place);
  const inserted = inserts.flatMap(({ id }) => (isNumber(id) ? [Number(id)] : []));
  // A number that was generated counts, however long it has become.
  return { outcomes, inserts, lastNumber: Math.max(lastNumber, ...inserted, number > given ? number : 0) };
}
