import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";

/** Runs a program. @returns its exit status, and what it printed. */
export function run(
  program: string,
  args: readonly string[],
  cwd: string = tmpdir(),
  env: Readonly<Record<string, string>> = {},
) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", ...env },
  });
  return { status, output: `${stdout}${stderr}` };
}

/** Returns whether a program is there and accepts its arguments. */
export const isThere = (program: string, ...args: readonly string[]): boolean => run(program, args).status === 0;

/** Finds a Python that has PyJWT and cryptography: the first one in PATH, or Debian's. */
export const findPython = (): string | undefined =>
  ["python3", "/usr/bin/python3"].find((path) => isThere(path, "-c", "import jwt, cryptography"));

/** Returns whether there is a PHP with what the example needs. */
export const hasPhp = (): boolean =>
  isThere("php", "-r", "exit(extension_loaded('openssl') && extension_loaded('sodium') ? 0 : 1);");
