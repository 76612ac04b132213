/** Records the files that a process loads after it has imported this module: ES modules, CommonJS and native addons. */
import { registerHooks } from "node:module";

/** The URLs of the files, in the order in which they were loaded. */
export const urls: string[] = [];

registerHooks({
  load(url, context, nextLoad) {
    urls.push(url);
    return nextLoad(url, context);
  },
});

/** The files that were loaded until now. */
export interface LoadedFiles {
  /** The number of files by package, such as `zod`. Files outside of node_modules count for `tokenpair`. */
  readonly packages: Readonly<Record<string, number>>;
  /** The paths of native addons that the process has mapped. */
  readonly addons: readonly string[];
}

/** Returns the files that were loaded until now, without Node's own modules. */
export function listLoadedFiles(): LoadedFiles {
  const packages: Record<string, number> = {};
  for (const url of urls.filter((one) => one.startsWith("file:"))) {
    const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? "tokenpair";
    packages[name] = (packages[name] ?? 0) + 1;
  }
  const { sharedObjects } = process.report.getReport() as unknown as { readonly sharedObjects: readonly string[] };
  return { packages, addons: sharedObjects.filter((path) => path.endsWith(".node")) };
}
