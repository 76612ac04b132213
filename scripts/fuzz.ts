/** `npm run fuzz [-- SECONDS [TARGET]]`: looks for inputs that break a parser, SECONDS (60) for each target. */
import { spawnSync } from "node:child_process";

const [seconds = "60", target] = process.argv.slice(2);
if (!/^\d+(?:\.\d+)?$/.test(seconds)) {
  console.error("usage: npm run fuzz [-- SECONDS [TARGET]], such as: npm run fuzz -- 300 'a token'");
  process.exit(2);
}
const filter = target === undefined ? [] : ["--testNamePattern", target];
const { status } = spawnSync("npx", ["vitest", "run", "test/fuzz", ...filter], {
  stdio: "inherit",
  env: { ...process.env, TOKENPAIR_FUZZ_SECONDS: seconds },
});
process.exit(status ?? 1);
