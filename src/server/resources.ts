/** What has been opened, to be closed in the reverse order. */
export interface Resources {
  add(close: () => void | Promise<void>): void;
  /** Closes everything once, however often it is called; every call fulfils when all is closed. */
  close(): Promise<void>;
}

export function createResources(): Resources {
  const opened: (() => void | Promise<void>)[] = [];
  let closing: Promise<void> | null = null;

  async function closeAll(): Promise<void> {
    for (const close of opened.reverse()) await close();
  }

  return Object.freeze({
    add: (close: () => void | Promise<void>) => void opened.push(close),
    close() {
      closing ??= closeAll();
      return closing;
    },
  });
}
