/**
 * Writes src/flows/passwords/common-passwords-data.ts from the list of @zxcvbn-ts/language-common: see docs/decisions/common-passwords.md.
 *
 * Usage: node scripts/common-passwords.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { defaultSettings } from "../src/core/settings/settings.ts";
import { foldPassword } from "../src/flows/passwords/text.ts";

const target = new URL("../src/flows/passwords/common-passwords-data.ts", import.meta.url);

const list = import.meta.resolve("@zxcvbn-ts/language-common/src/passwords.json");
const read = (path: string) => readFileSync(new URL(path, list), "utf8");

/** Each password as the length that it shares with the one before, `A` for none and `Z` for 25, and the rest of it. */
function toFrontCoded(sorted: readonly string[]): string {
  return sorted
    .map((word, index) => {
      const shared = Math.min(countShared(sorted[index - 1] ?? "", word), 25);
      return String.fromCharCode(65 + shared) + word.slice(shared);
    })
    .join("");
}

function countShared(one: string, other: string): number {
  let count = 0;
  while (count < one.length && one[count] === other[count]) count++;
  return count;
}

/** The module, whole. */
export function toCommonPasswordsModule(): string {
  const listed: readonly string[] = JSON.parse(read("passwords.json"));
  const words = [...new Set(listed.map(foldPassword))]
    .filter((word) => word.length >= defaultSettings.minPasswordLength)
    .sort();
  const unfit = words.find((word) => !/^[!#-@^-~]+$/.test(word));
  if (unfit !== undefined) throw new Error(`the list has changed: ${JSON.stringify(unfit)} needs another coding`);
  const { version } = JSON.parse(read("../package.json"));
  const licence = read("../LICENSE.txt").trim().replaceAll(/^/gm, " * ").replaceAll(/ +$/gm, "");
  return `/*
 * Made by scripts/common-passwords.ts from @zxcvbn-ts/language-common ${version}, under this licence:
 *
${licence}
 */

/**
 * ${words.length} sorted passwords. Each is stored as a letter and the rest of its text. The letter says how many characters the password
 * shares with the previous one: \`A\` for none, \`B\` for one, and so on.
 */
export const frontCodedPasswords: string =
  "${toFrontCoded(words)}";
`;
}

if (import.meta.main) writeFileSync(target, toCommonPasswordsModule());
