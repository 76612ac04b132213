import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Runs in every page before its scripts. Collects violations of the content security policy. */
export function collectViolations(): void {
  const violations: string[] = [];
  Object.assign(globalThis, { violations });
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
    violations.push(`${violatedDirective} ${blockedURI}`);
  });
}

/** Returns what is wrong with a page: findings of axe, sideways scrolling, violations of the policy, and not one h1. */
export async function findFaults(page: Page): Promise<readonly string[]> {
  // An animation whose element is removed doesn't finish.
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => undefined))),
  );
  // The debugger's protocol evaluates it, so the policy doesn't apply.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    interface Finding {
      readonly id: string;
      readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
    }
    const { axe: runner, violations } = globalThis as unknown as {
      readonly axe: { readonly run: (root: Document) => Promise<{ readonly violations: readonly Finding[] }> };
      readonly violations: readonly string[];
    };
    const { violations: findings } = await runner.run(document);
    const { scrollWidth, clientWidth } = document.documentElement;
    const headings = document.querySelectorAll("h1").length;
    return [
      ...findings.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`)),
      ...(scrollWidth > clientWidth ? [`${scrollWidth} pixels wide`] : []),
      ...violations.map((violation) => `policy: ${violation}`),
      ...(headings === 1 ? [] : [`${headings} h1`]),
    ];
  });
}
