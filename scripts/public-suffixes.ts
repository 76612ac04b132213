/**
 * Writes src/core/settings/public-suffixes-data.ts from the Public Suffix List in tldts: see docs/decisions/toolchain.md.
 *
 * Usage: node scripts/public-suffixes.ts
 */
import { readFileSync, writeFileSync } from "node:fs";

const target = new URL("../src/core/settings/public-suffixes-data.ts", import.meta.url);
const tldts = new URL("./", import.meta.resolve("tldts/package.json"));

/** The list as tldts ships it: a trie from the last label to the first. */
interface Trie {
  /** By node. Not 0 if a rule ends at the node. */
  readonly nodeFlags: Uint8Array;
  /** By node: its first edge. The next node's first edge ends it. */
  readonly edgeStart: Uint16Array;
  /** By edge: the length of its label in `labelText`. */
  readonly edgeLength: Uint8Array;
  /** By edge: the node that it leads to. */
  readonly edgeChild: Uint16Array;
  readonly labelText: string;
  readonly rulesRoot: number;
  readonly exceptionsRoot: number;
}

/** Returns the rules below `root`, with two labels or more. */
function* toRules(trie: Trie, root: number): Generator<string> {
  const { nodeFlags, edgeStart, edgeLength, edgeChild, labelText } = trie;
  const offsets: number[] = [];
  let offset = 0;
  for (const length of edgeLength) {
    offsets.push(offset);
    offset += length;
  }
  function* walk(node: number, name: string): Generator<string> {
    if (nodeFlags[node] !== 0 && name.includes(".")) yield name;
    for (let edge = edgeStart[node] ?? 0; edge < (edgeStart[node + 1] ?? 0); edge++) {
      const start = offsets[edge] ?? 0;
      const label = labelText.slice(start, start + (edgeLength[edge] ?? 0));
      yield* walk(edgeChild[edge] ?? 0, name === "" ? label : `${label}.${name}`);
    }
  }
  yield* walk(root, "");
}

/** Reverses and sorts the rules. Stores each as a letter for the length that it shares with the previous one, and the rest. */
function toFrontCoded(rules: readonly string[]): string {
  const reversed = rules.map((rule) => [...rule].reverse().join("")).sort();
  return reversed
    .map((rule, index) => {
      const shared = Math.min(countShared(reversed[index - 1] ?? "", rule), 25);
      return String.fromCharCode(65 + shared) + rule.slice(shared);
    })
    .join("");
}

function countShared(one: string, other: string): number {
  let count = 0;
  while (count < one.length && one[count] === other[count]) count++;
  return count;
}

/** The module, whole. */
export async function toPublicSuffixesModule(): Promise<string> {
  const trie: Trie = await import(new URL("dist/es6/src/data/trie.js", tldts).href);
  const exceptions = Array.from(toRules(trie, trie.exceptionsRoot), (rule) => `!${rule}`);
  // An origin has the ASCII form of a name (RFC 6454 §6.2).
  const rules = [...toRules(trie, trie.rulesRoot), ...exceptions].filter((rule) => /^[!*.a-z0-9-]+$/.test(rule));
  const { version } = JSON.parse(readFileSync(new URL("package.json", tldts), "utf8"));
  return `/*
 * Made by scripts/public-suffixes.ts from the Public Suffix List (https://publicsuffix.org) in tldts ${version}. This
 * Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy of the MPL was not
 * distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */

/**
 * ${rules.length} rules of two labels or more, reversed and sorted. Each is stored as a letter and the rest of its text. The letter says how
 * many characters the rule shares with the previous one: \`A\` for none, \`B\` for one, and so on.
 */
export const frontCodedSuffixes: string =
  "${toFrontCoded(rules)}";
`;
}

if (import.meta.main) writeFileSync(target, await toPublicSuffixesModule());
