import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";

/** A file that is only ever replaced as a whole, so that its readers never see a part of a new one. */
export interface ReplacedFile {
  /**
   * Replaces the file.
   *
   * @param modifiedAt the time of its last modification, in milliseconds since the epoch.
   * @throws what the file system throws. The file is then the former one.
   */
  replace(parts: readonly Uint8Array[], modifiedAt: number): Promise<void>;
  /**
   * Sets the time of the last modification.
   *
   * @returns false if the file isn't there any more, or another process has replaced it. Replace it then.
   */
  touch(modifiedAt: number): Promise<boolean>;
  /** Closes the file, which stays as it is. */
  close(): Promise<void>;
}

/** Only the owner of the process can read the file. */
const mode = 0o600;

/** Creates the writer of a file. Opens nothing before the first `replace`. */
export function createReplacedFile(path: string): ReplacedFile {
  const draft = `${path}.new`;
  /** The newest file, open: its time must be set, and not that of a file that has taken its place. */
  let current: FileHandle | null = null;

  async function isInPlace(handle: FileHandle): Promise<boolean> {
    const [own, found] = await Promise.all([handle.stat(), stat(path).catch(() => null)]);
    return found !== null && own.ino === found.ino && own.dev === found.dev;
  }

  return {
    async replace(parts, modifiedAt) {
      await rm(draft, { force: true });
      // Never through a link that another user has put there.
      const handle = await open(draft, "wx", mode);
      try {
        for (const part of parts) await handle.appendFile(part);
        await setTime(handle, modifiedAt);
        await rename(draft, path);
      } catch (error) {
        await handle.close();
        await rm(draft, { force: true }).catch(() => {});
        throw error;
      }
      const former = current;
      current = handle;
      await former?.close();
    },
    async touch(modifiedAt) {
      if (current === null || !(await isInPlace(current))) return false;
      await setTime(current, modifiedAt);
      return true;
    },
    async close() {
      const last = current;
      current = null;
      await last?.close();
    },
  };
}

/** Rounds down: a file must not look newer than it is. */
function setTime(handle: FileHandle, milliseconds: number): Promise<void> {
  const seconds = Math.floor(milliseconds) / 1000;
  return handle.utimes(seconds, seconds);
}
