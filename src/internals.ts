import type { Deps } from "./flows/deps.ts";
import type { HttpDeps } from "./http/endpoint.ts";
import type { Signals } from "./revocation/signals.ts";

/** The parts of an `Auth` that `createConsole` and the server use. Applications have no access to them. */
export interface Internals {
  /** The dependencies of the flows. */
  readonly deps: Deps;
  /** The dependencies of the routes. */
  readonly httpDeps: HttpDeps;
  /** Aborts long-running work when a session ends. */
  readonly signals: Pick<Signals, "signal" | "size">;
  /** Whether browsers on this machine get development cookies. */
  readonly developmentCookies: boolean;
  /** Called with the lag of each revocation that this node applies, in seconds. */
  readonly lagListeners: Set<(seconds: number) => void>;
  /** Called with every error that the client only sees as a 500 or 503. Default: emits a process warning. */
  readonly onError?: (error: unknown) => void;
}

const internals = new WeakMap<object, Internals>();

/** Stores the parts of an `Auth`. */
export function setInternals(auth: object, parts: Internals): void {
  internals.set(auth, parts);
}

/**
 * Returns the parts of an `Auth`.
 *
 * @throws TypeError if `auth` was not made by `createAuth` of this copy of the package.
 */
export function getInternals(auth: object): Internals {
  const parts = internals.get(auth);
  if (parts !== undefined) return parts;
  throw new TypeError("createConsole: pass the object that createAuth returned. Example: createConsole(auth)");
}
