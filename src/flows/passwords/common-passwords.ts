import { frontCodedPasswords } from "./common-passwords-data.ts";

/**
 * The common passwords, in the form that `foldPassword` returns. The module is large, so import it only when a new password
 * is checked.
 */
export const commonPasswords: ReadonlySet<string> = new Set(toWords());

function* toWords(): Generator<string> {
  let word = "";
  for (const [, shared = "", rest = ""] of frontCodedPasswords.matchAll(/([A-Z])([^A-Z]*)/g)) {
    word = word.slice(0, shared.charCodeAt(0) - 65) + rest;
    yield word;
  }
}
