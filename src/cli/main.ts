#!/usr/bin/env node
import { isNewEnough, oldestNode } from "./node-version.ts";

const { argv, env, stdin, stdout, stderr, versions } = process;
if (isNewEnough(versions.node)) {
  // Not before: an older Node does not have all that it imports.
  const { run } = await import("./program.ts");
  process.exitCode = await run(argv.slice(2), { directory: process.cwd(), env, stdin, stdout, stderr });
} else {
  stderr.write(`tokenpair needs Node ${oldestNode} or newer; this is Node ${versions.node}.\n`);
  process.exitCode = 1;
}
