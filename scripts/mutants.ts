/**
 * Breaks the source on purpose, one small change at a time, and fails unless the tests notice each one. Prints a line for
 * each mutant, and the number of those killed. A mutant that no longer applies or compiles fails too: correct its entry in
 * scripts/mutants/.
 *
 * Usage: node scripts/mutants.ts [--smoke] [WORD…]
 *
 * `--smoke` tries one mutant. With words, only mutants are tried that have one of them in their name or file.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { mutants } from "./mutants/all.ts";
import { authenticationMutants } from "./mutants/authentication.ts";
import { clientMutants } from "./mutants/client.ts";
import { feedHttpMutants } from "./mutants/feed-http.ts";
import { keyMutants } from "./mutants/keys.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { runMutants } from "./mutants/run.ts";
import { securityMutants } from "./mutants/security.ts";
import { signatureMutants } from "./mutants/signatures.ts";
import { survivors } from "./mutants/survivors.ts";
import { verifierMutants } from "./mutants/verifier.ts";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { smoke: { type: "boolean" } } });
const named = mutants.filter(
  ({ name, file }) =>
    positionals.length === 0 || positionals.some((word) => name.includes(word) || file.includes(word)),
);
const chosen = values.smoke ? securityMutants.slice(0, 1) : named;

console.log(`mutants: ${chosen.length}; first their tests run without any change`);
let tried = 0;
const results = runMutants(resolve(import.meta.dirname, ".."), chosen, ({ mutant, fate, detail, seconds }) => {
  tried += 1;
  const place = `${tried}/${chosen.length}`.padStart(7);
  console.log(`${place}  ${fate.padEnd(21)}  ${seconds.toFixed(1).padStart(5)} s  ${mutant.name} (${mutant.file})`);
  console.log(`${" ".repeat(41)}${fate === "killed" ? "by: " : ""}${detail}`);
});
printKilled("mutants", chosen);
printKilled("once survived all tests", survivors);
printKilled("by an author who had not read the tests", securityMutants);
printKilled("of the keys", keyMutants);
printKilled("of signing keys and signatures", signatureMutants);
printKilled("of the feed over HTTP", feedHttpMutants);
printKilled("of the verifier", verifierMutants);
printKilled("of second steps, confirmations and actors", authenticationMutants);
printKilled("of the client", clientMutants);
if (results.length === 0 || results.some(({ fate }) => fate !== "killed")) process.exitCode = 1;

function printKilled(title: string, list: readonly Mutant[]): void {
  const fates = results.filter(({ mutant }) => list.includes(mutant)).map(({ fate }) => fate);
  const killed = fates.filter((fate) => fate === "killed").length;
  if (fates.length > 0) console.log(`${title}: ${killed} of ${fates.length} killed`);
}
