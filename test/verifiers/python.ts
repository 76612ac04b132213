import { spawnSync } from "node:child_process";

let found: string | null | undefined;

/** Returns a Python that has PyJWT and cryptography: the first one in PATH, or Debian's. `null` if there is none. */
export function findPython(): string | null {
  const isThere = (path: string) => spawnSync(path, ["-c", "import jwt, cryptography"]).status === 0;
  found ??= ["python3", "/usr/bin/python3"].find(isThere) ?? null;
  return found;
}
