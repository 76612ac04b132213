/** Everything that a server has opened. */
export interface Resources {
  /** Adds a function that closes one resource. */
  add(close: () => void | Promise<void>): void;
  /** Closes every resource once, the last one first. Every call fulfills after all of them are closed. */
  close(): Promise<void>;
}

/** Creates an empty list of resources. */
export function createResources(): Resources {
  const closers: (() => void | Promise<void>)[] = [];
  let closing: Promise<void> | null = null;

  async function closeAll(): Promise<void> {
    for (const close of closers.reverse()) await close();
  }

  return Object.freeze({
    add: (close: () => void | Promise<void>) => void closers.push(close),
    close() {
      closing ??= closeAll();
      return closing;
    },
  });
}
