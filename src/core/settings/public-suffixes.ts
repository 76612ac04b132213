import { frontCodedSuffixes } from "./public-suffixes-data.ts";

/**
 * Returns whether hosts below `domain` can have different owners. This is the case for a public suffix such as "co.uk" or
 * "github.io", and for a parent of one, such as "amazonaws.com". Uses the algorithm of https://publicsuffix.org/list/,
 * without its rules that have only one label.
 *
 * @param domain a domain with at least two labels, in lower case and ASCII.
 */
export function isSharedDomain(domain: string): boolean {
  const name = reverse(domain);
  const wildcard = reverse(domain.replace(/^[^.]+/, "*"));
  let isShared = false;
  for (const rule of toReversedRules()) {
    // An exception to a wildcard.
    if (rule.endsWith("!") && `${name}.`.startsWith(`${rule.slice(0, -1)}.`)) return false;
    if (rule === name || rule === wildcard || rule.startsWith(`${name}.`)) isShared = true;
  }
  return isShared;
}

function* toReversedRules(): Generator<string> {
  let rule = "";
  for (const [, shared = "", rest = ""] of frontCodedSuffixes.matchAll(/([A-Z])([^A-Z]*)/g)) {
    rule = rule.slice(0, shared.charCodeAt(0) - 65) + rest;
    yield rule;
  }
}

function reverse(text: string): string {
  return [...text].reverse().join("");
}
