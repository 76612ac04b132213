import type { Deps } from "../flows/deps.ts";
import { findApplicationUser } from "../flows/users/user-source.ts";

/** How many calls of `findUser` run at once, so that one list doesn't take all of its connections. */
const concurrency = 8;

/** For how long a name is kept, in milliseconds, and how many are kept at most. */
const kept = { age: 60_000, number: 5_000 } as const;

/** Returns the names of users by id. A user whose name isn't known is missing. Never throws. */
export type FindNames = (userIds: Iterable<string | null>) => Promise<ReadonlyMap<string, string>>;

/**
 * Creates the function that finds the names of users in the application's own table: it asks `findUser` for each of them. The lists of
 * tokenpair's own table have the names already, so then it finds none.
 */
export function createNames(
  { settings, clock }: Pick<Deps, "settings" | "clock">,
  onError: (error: unknown) => void,
): FindNames {
  const { findUser } = settings;
  if (findUser === undefined) return async () => new Map();
  const application = { findUser };
  const known = new Map<string, { readonly name: string | null; readonly at: number }>();

  async function look(id: string): Promise<void> {
    const name = (await findApplicationUser(application, id))?.username ?? null;
    known.delete(id);
    known.set(id, { name, at: clock.monotonic() });
    const [oldest] = known.keys();
    if (known.size > kept.number && oldest !== undefined) known.delete(oldest);
  }

  return async (userIds) => {
    const since = clock.monotonic() - kept.age;
    const ids = new Set([...userIds].filter((id) => id !== null));
    const unknown = [...ids].filter((id) => (known.get(id)?.at ?? Number.NEGATIVE_INFINITY) < since);
    const errors: unknown[] = [];
    const work = unknown.values();
    const workers = Array.from({ length: Math.min(concurrency, unknown.length) }, async () => {
      // After an error, the list is shown with the ids of the others.
      for (const id of work) if (errors.length === 0) await look(id).catch((error: unknown) => errors.push(error));
    });
    await Promise.all(workers);
    if (errors.length > 0) onError(errors[0]);
    const names = new Map<string, string>();
    for (const id of ids) {
      const name = known.get(id)?.name ?? null;
      if (name !== null) names.set(id, name);
    }
    return names;
  };
}
