/** Everything that a server has opened. */
export interface Resources {
  /** Adds a function that closes one resource. */
  add(close: () => void | Promise<void>): void;
  /**
   * Closes all resources once, in reverse order, even if one of them fails to close. Every call settles after all resources
   * are closed.
   *
   * @throws the error of the first resource that failed to close.
   */
  close(): Promise<void>;
}

/**
 * Calls a function that opens resources. If it fails, closes everything that it has opened.
 *
 * @throws what `open` throws.
 */
export async function openWithResources<T>(open: (resources: Resources) => Promise<T>): Promise<T> {
  const resources = createResources();
  try {
    return await open(resources);
  } catch (error) {
    await resources.close().catch(() => {});
    throw error;
  }
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
