import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser } from "./browsers.ts";
import type { Tab } from "./device.ts";
import { callApi, logIn, openTab, seeLoginForm } from "./person.ts";
import { openSite, type Site } from "./site.ts";

const widths = [1280, 390];

describe("the accessibility of the page", () => {
  let site: Site;

  beforeAll(async () => {
    site = await openSite({ access: 600 });
  });
  afterAll(() => site.close());

  it.each([
    ["light", false],
    ["dark", true],
  ])(
    "labels every control, announces errors, has enough contrast and doesn't scroll sideways, in %s colors",
    async (_, isDark) => {
      const browser = await openBrowser({ isDark });
      const page = await openTab(await browser.device(), site);
      await seeLoginForm(page);
      expect(await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches)).toBe(isDark);
      await page.getByRole("button", { name: "Log in" }).click();
      const error = page.getByText("Please enter your username.");
      await error.waitFor();
      expect(await page.getByLabel("Username").getAttribute("aria-describedby")).toBe(await error.getAttribute("id"));
      expect(await error.getAttribute("aria-live")).toBe("assertive");
      await expectNoBarriers(page);
      expect(await readFields(page)).toEqual(["text username", "password current-password"]);

      await logIn(page, await site.newUser());
      await callApi(page);
      // The hidden name tells password managers which user's password is changed.
      expect(await readFields(page)).toEqual(["password current-password", "password new-password", "text username"]);
      await page.getByRole("button", { name: /^Rename/ }).click();
      await expectNoBarriers(page);
      await browser.close();
    },
  );

  /** Returns type and autocomplete of each field, which password managers use. */
  function readFields(page: Tab): Promise<string[]> {
    return page
      .locator("input[autocomplete]")
      .evaluateAll((fields) =>
        fields.map((field) => `${(field as HTMLInputElement).type} ${field.getAttribute("autocomplete")}`),
      );
  }

  async function expectNoBarriers(page: Tab): Promise<void> {
    await page.mouse?.move(0, 0);
    for (const width of widths) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate(findBarriers), `${width}`).toEqual([]);
    }
  }
});

/** Runs in the page. Returns what would keep people from using it. @see WCAG 2.2, 1.4.3, for the contrast */
function findBarriers(): string[] {
  const nameOf = (element: Element): string =>
    [element.getAttribute("aria-label"), element.textContent, ...toLabels(element)].join("").trim();
  const toLabels = (element: Element) =>
    element instanceof HTMLInputElement ? [...(element.labels ?? [])].map((label) => label.textContent) : [];
  const isShown = (element: Element) => element.checkVisibility({ visibilityProperty: true });

  // Browsers write some colors as `oklab(…)`. A canvas converts them all to red, green, blue and alpha.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const toChannels = (color: string): number[] => {
    if (canvas === null) throw new TypeError("no canvas");
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const toGround = (element: Element | null): number[] => {
    if (element === null) return [255, 255, 255];
    const channels = toChannels(getComputedStyle(element).backgroundColor);
    return channels[3] === 0 ? toGround(element.parentElement) : channels;
  };
  const toLuminance = (channels: number[]) => {
    const [r = 0, g = 0, b = 0] = channels.map((channel) => {
      const part = channel / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const toContrast = (element: Element) => {
    const lights = [toLuminance(toChannels(getComputedStyle(element).color)), toLuminance(toGround(element))];
    return (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
  };

  const all = [...document.querySelectorAll("*")].filter(isShown);
  const hasOwnText = (element: Element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue?.trim());
  const unnamed = all.filter((element) => element.matches("button, input, a, summary") && nameOf(element) === "");
  const pale = all.filter((element) => hasOwnText(element) && toContrast(element) < 4.5);
  const ids = all.map(({ id }) => id).filter(Boolean);
  const checks: readonly [boolean, string][] = [
    [document.documentElement.lang !== "", "the page has no language"],
    [document.querySelectorAll("h1").length === 1, "the page doesn't have exactly one h1"],
    [document.querySelectorAll("main").length === 1, "the page doesn't have exactly one main"],
    [document.querySelector("[role=status]") !== null, "the page has no status"],
    [document.querySelector("[role=alert]") !== null, "the page has no alert"],
    [all.every((element) => !element.matches("img:not([alt])")), "an image has no alt"],
    [new Set(ids).size === ids.length, "an id occurs twice"],
    [document.documentElement.scrollWidth <= window.innerWidth, "the page scrolls sideways"],
  ];
  return [
    ...checks.filter(([isMet]) => !isMet).map(([, barrier]) => barrier),
    ...unnamed.map((element) => `no name: ${element.outerHTML}`),
    ...pale.map((element) => `contrast ${toContrast(element).toFixed(1)}: ${element.textContent}`),
  ];
}
