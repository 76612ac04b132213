/** Runs before the page's own scripts. Reading `localStorage` throws, as if the user had blocked it. */
export function withoutStorage(): void {
  const get = () => {
    throw new DOMException("The user has blocked it.", "SecurityError");
  };
  Object.defineProperty(globalThis, "localStorage", { get });
}

/** Runs before the page's own scripts. Removes Web Locks and BroadcastChannel. */
export function withoutLocksAndChannel(): void {
  Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined });
  Reflect.deleteProperty(globalThis, "BroadcastChannel");
}
