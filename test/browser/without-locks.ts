/** Runs before the page's own scripts. Removes Web Locks and BroadcastChannel. */
export function withoutLocksAndChannel(): void {
  Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined });
  Reflect.deleteProperty(globalThis, "BroadcastChannel");
}
