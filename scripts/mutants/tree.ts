import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A copy of the working tree in which files may be broken. */
export interface Tree {
  readonly root: string;
  /** Writes `text` to a file, calls `work`, and restores the file. */
  readonly withFile: <T>(path: string, text: string, work: () => T) => T;
  readonly remove: () => void;
}

/** Copies what Git tracks or would track, with the changes that are not committed. Links `node_modules` and `../shared`. */
export function copyTree(root: string): Tree {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), "tokenpair-mutants-")));
  const copy = join(parent, "tree");
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  const paths = new Set(listed.split("\0").filter((path) => path !== "" && existsSync(join(root, path))));
  for (const path of paths) cpSync(join(root, path), join(copy, path));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  const shared = join(dirname(root), "shared");
  if (existsSync(shared)) symlinkSync(shared, join(parent, "shared"));
  return {
    root: copy,
    withFile(path, text, work) {
      const file = join(copy, path);
      const original = readFileSync(file, "utf8");
      writeFileSync(file, text);
      try {
        return work();
      } finally {
        writeFileSync(file, original);
      }
    },
    remove: () => rmSync(parent, { recursive: true, force: true }),
  };
}
