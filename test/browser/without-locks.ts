/** Runs before the page's own scripts: a browser without Web Locks and BroadcastChannel. */
export function withoutLocksAndChannel(): void {
  Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined });
  Reflect.deleteProperty(globalThis, "BroadcastChannel");
}
