import axe from "axe-core";
import type { Page } from "playwright-core";

/** Counts violations of the content security policy, from the first script on. Runs in the page. */
export function countViolations(): void {
  const seen: string[] = [];
  Object.assign(globalThis, { violations: seen });
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile }) => {
    seen.push(`${violatedDirective} ${blockedURI} ${sourceFile}`);
  });
}

/**
 * Returns what keeps people from using the page: findings of axe, sideways scrolling, violations of the policy, more or less than one h1,
 * targets smaller than 24 pixels, and names that turn the text around them.
 */
export async function findBarriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => undefined))),
  );
  // By the debugger's protocol, which the policy doesn't concern: the page itself can't load it.
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe: runner, violations } = globalThis as unknown as {
      axe: {
        run: (
          context: Document,
        ) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
      };
      violations: string[];
    };
    const { violations: findings } = await runner.run(document);
    const { scrollWidth, clientWidth } = document.documentElement;
    const isShown = (element: Element) => element.checkVisibility({ visibilityProperty: true });
    const small = [...document.querySelectorAll("button, input, select")].filter((element) => {
      const { width, height } = (element.closest("label") ?? element).getBoundingClientRect();
      return isShown(element) && (width < 24 || height < 24);
    });
    // A text with an override in the middle of a sentence needs an element that isolates it.
    const isAlone = (element: Element | null, text: string): boolean => {
      if (element === null) return false;
      const { display, unicodeBidi } = getComputedStyle(element);
      if (/isolate|plaintext/.test(unicodeBidi)) return true;
      return element.textContent.trim() === text && (display !== "inline" || isAlone(element.parentElement, text));
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const turned: Element[] = [];
    for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
      const { parentElement, nodeValue } = node;
      if (parentElement === null || !/[\u202A-\u202E]/.test(nodeValue ?? "") || parentElement.closest("pre")) continue;
      if (!isAlone(parentElement, nodeValue?.trim() ?? "")) turned.push(parentElement);
    }
    return [
      ...findings.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
      ),
      ...(scrollWidth > clientWidth ? [`scrolls sideways: ${scrollWidth} > ${clientWidth}`] : []),
      ...violations.map((violation) => `policy: ${violation}`),
      ...small.map((element) => `small target: ${element.outerHTML.slice(0, 120)}`),
      ...(document.querySelectorAll("h1").length === 1 ? [] : ["not one h1"]),
      ...turned.map((element) => `turns what is around it: ${element.outerHTML.slice(0, 200)}`),
    ];
  });
}
