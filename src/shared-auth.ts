/**
 * Frameworks load a module several times: Next once for each of its bundles, and every development server again after a change.
 * The process has this once, also if it has loaded this package several times.
 */
const instancesKey = Symbol.for("tokenpair.instances");

/**
 * Returns a function that creates an `Auth` when it is needed for the first time, and from then on returns the same one: in all
 * bundles of a framework, and after changes in development. A build that imports the module opens no database. If `create` fails,
 * the next call tries again. Restart the development server after a change of the settings.
 *
 * @param create creates the `Auth`, and waits until it is ready.
 * @param name tells several instances apart. Default: "default".
 * @example
 * export const getAuth = sharedAuth(async () => {
 *   const store = sqliteStore("data/app.db");
 *   await store.migrate();
 *   const auth = createAuth({ store, signingKey: process.env["SIGNING_KEY"] ?? "" });
 *   await auth.ready();
 *   return auth;
 * });
 */
export function sharedAuth<A extends object>(create: () => Promise<A>, name = "default"): () => Promise<A> {
  const holder = globalThis as { [instancesKey]?: Map<string, Promise<object>> };
  holder[instancesKey] ??= new Map();
  const instances = holder[instancesKey] as Map<string, Promise<A>>;
  return () => {
    const known = instances.get(name);
    if (known !== undefined) return known;
    const created = create();
    instances.set(name, created);
    created.catch(() => instances.delete(name));
    return created;
  };
}
