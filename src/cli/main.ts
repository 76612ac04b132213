#!/usr/bin/env node
import { isNewEnough, oldestNode } from "./node-version.ts";

const { argv, env, stdin, stdout, stderr, versions } = process;
// Without a listener, the first write that fails would end the process. Those who write look at the error themselves.
for (const stream of [stdout, stderr]) stream.on("error", () => {});
if (isNewEnough(versions.node)) {
  // Imported only now, because it imports modules that an older Node doesn't have.
  const { run } = await import("./program.ts");
  process.exitCode = await run(argv.slice(2), { directory: process.cwd(), env, stdin, stdout, stderr });
} else {
  stderr.write(`tokenpair: Node ${versions.node} is too old; install Node ${oldestNode} or later\n`);
  process.exitCode = 1;
}
