import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

/** The release as it was published, without docs, types, source maps, and the page and the library for browsers. */
const tarball = resolve(import.meta.dirname, "tokenpair-0.1.0.tgz");

/** A folder from which the dependencies of the release resolve to those of this repository. */
const cache = resolve(import.meta.dirname, "../../node_modules/.cache");

/** An unpacked release. */
export interface Release {
  /** The file that runs its command line. */
  readonly main: string;
  /** Deletes the unpacked files. */
  remove(): void;
}

/** Unpacks tokenpair 0.1.0. */
export async function unpackVersion01(): Promise<Release> {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "tokenpair-0.1.0-"));
  await promisify(execFile)("tar", ["-xzf", tarball, "-C", folder]);
  return {
    main: join(folder, "package/dist/cli/main.js"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
