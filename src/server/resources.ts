/** Everything that a server has opened. */
export interface Resources {
  /** Adds a function that closes one resource. */
  add(close: () => void | Promise<void>): void;
  /**
   * Closes every resource once, the last one first, also if one fails to close. Every call settles after all of them are closed.
   *
   * @throws what the first resource that failed has thrown.
   */
  close(): Promise<void>;
}

/** Creates an empty list of resources. */
export function createResources(): Resources {
  const closers: (() => void | Promise<void>)[] = [];
  let closing: Promise<void> | null = null;

  async function closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of closers.reverse()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  return Object.freeze({
    add: (close: () => void | Promise<void>) => void closers.push(close),
    close() {
      closing ??= closeAll();
      return closing;
    },
  });
}
