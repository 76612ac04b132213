import { frontCodedSuffixes } from "./public-suffixes-data.ts";

/**
 * Returns whether different owners can have hosts below `domain`: it is a public suffix such as "co.uk" or "github.io", or
 * a parent of one such as "amazonaws.com". The algorithm is that of https://publicsuffix.org/list/, without its rules of
 * one label.
 *
 * @param domain in lower case and ASCII, of two labels or more.
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
