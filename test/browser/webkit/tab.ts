import { setTimeout as sleep } from "node:timers/promises";
import { type Finders, type Locator, stepTimeout, type Tab, type Text } from "../device.ts";
import { findElements, type Pattern, type Selector } from "./find.ts";
import type { WebDriverSession } from "./webdriver.ts";

/** The keys that the tests press. @see https://www.w3.org/TR/webdriver2/#keyboard-actions */
const keys = { Tab: "\uE004", Shift: "\uE008", Enter: "\uE007", Escape: "\uE00C" } as const;

/** The member that names an element in WebDriver's JSON. */
const elementKey = "element-6066-11e4-a52e-4f735466cecf";

/** Milliseconds between two looks at the page. */
const pollInterval = 25;

/** Opens a tab. */
export async function openWebKitTab({ openWindow, command }: WebDriverSession): Promise<Tab> {
  const window = await openWindow();
  const send: Send = (...call) => command(window, ...call);
  let evaluations = 0;

  /**
   * Starts the function and returns its result if it has one at once, before the page can go away. If not, asks for it again
   * and again, so that other tabs can be used meanwhile.
   */
  async function evaluate(run: unknown, argument?: unknown): Promise<never> {
    evaluations += 1;
    const at = `tokenpair evaluation ${evaluations}`;
    const start = `const state = window[arguments[1]] = {};
      const done = (async () => ({ value: await (${run})(arguments[0]) }))()
        .catch((error) => ({ error: String(error) }))
        .then((result) => Object.assign(state, { result }));
      return Promise.race([done, new Promise((resolve) => setTimeout(resolve, 0, state))]);`;
    const look = "return window[arguments[0]] ?? { result: { error: 'the page has gone' } }";
    let state = await send("POST", "execute/sync", { script: start, args: [argument ?? null, at] });
    for (;;) {
      const { result } = state as { readonly result?: { readonly value?: never; readonly error?: string } };
      if (result?.error !== undefined) throw new Error(result.error);
      if (result !== undefined) return result.value as never;
      await sleep(pollInterval);
      state = await send("POST", "execute/sync", { script: look, args: [at] });
    }
  }

  /** Presses keys one after the other, or all of them before the first is released. */
  const press = (values: readonly string[], isChord = false) =>
    send("POST", "actions", {
      actions: [
        {
          type: "key",
          id: "keyboard",
          actions: isChord
            ? ["keyDown", "keyUp"].flatMap((type) => values.map((value) => ({ type, value })))
            : values.flatMap((value) => ["keyDown", "keyUp"].map((type) => ({ type, value }))),
        },
      ],
    }).then(() => undefined);

  return {
    ...createFinders(send),
    goto: (url) => send("POST", "url", { url }),
    reload: () => send("POST", "refresh"),
    goBack: () => send("POST", "back"),
    evaluate,
    keyboard: {
      type: (text) => press([...text]),
      press: (key) => (key === "Shift+Tab" ? press([keys.Shift, keys.Tab], true) : press([keys[key]])),
    },
    async setViewportSize(size) {
      await send("POST", "window/rect", size);
    },
    bringToFront: async () => void (await send("GET", "url")),
    close: async () => void (await send("DELETE", "window")),
  };
}

type Send = (method: "GET" | "POST" | "DELETE", path: string, body?: object) => Promise<unknown>;

const escapeText = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function toPattern(text: Text, exact = false): Pattern {
  if (typeof text !== "string") return { source: text.source, flags: text.flags };
  return exact ? { source: `^${escapeText(text)}$`, flags: "" } : { source: escapeText(text), flags: "i" };
}

/** Creates the ways to find elements in the page, or in the elements of `outer`. */
function createFinders(send: Send, outer?: Selector): Finders {
  const find = (inner: Selector) => createLocator(send, outer ? { by: "within", outer, inner } : inner);
  return {
    getByRole: (role, { name, exact, level } = {}) =>
      find({ by: "role", role, level, ...(name !== undefined && { name: toPattern(name, exact) }) }),
    getByLabel: (text, { exact } = {}) => find({ by: "label", text: toPattern(text, exact) }),
    getByText: (text) => find({ by: "text", text: toPattern(text) }),
    locator: (css, { has } = {}) => find({ by: "css", css, has: has && selectorOf(has) }),
  };
}

/** Replaces the error about elements that the page removed before the driver had read them. */
function ignoreStale(error: Error) {
  if (!error.message.includes("stale element")) throw error;
  return { count: 0, shown: [] };
}

const selectors = new WeakMap<Locator, Selector>();

function selectorOf(locator: Locator): Selector {
  const selector = selectors.get(locator);
  if (selector === undefined) throw new TypeError("the locator is another driver's");
  return selector;
}

function createLocator(send: Send, selector: Selector): Locator {
  /** Runs a function in the page with the elements that are there now. */
  async function onElements<R>(run: (elements: HTMLElement[], argument: never) => R, argument?: unknown): Promise<R> {
    const script = `return (${run})((${findElements})(arguments[0]), arguments[1])`;
    return (await send("POST", "execute/sync", { script, args: [selector, argument ?? null] })) as R;
  }

  /** Waits for the one element. @returns its WebDriver reference. */
  async function waitForElement(): Promise<string> {
    const end = Date.now() + stepTimeout;
    for (;;) {
      const { count, shown } = await onElements((elements) => ({
        count: elements.length,
        shown: elements.filter((element) => element.checkVisibility({ visibilityProperty: true })),
      })).catch(ignoreStale);
      if (count > 1) throw new Error(`${count} elements: ${JSON.stringify(selector)}`);
      const reference = (shown[0] as unknown as Readonly<Record<string, string>> | undefined)?.[elementKey];
      if (reference !== undefined) return reference;
      if (Date.now() > end) throw new Error(`not found: ${JSON.stringify(selector)}`);
      await sleep(pollInterval);
    }
  }

  async function act(command: string, body?: object): Promise<void> {
    await send("POST", `element/${await waitForElement()}/${command}`, body);
  }

  /** Waits for the one element, and runs a function with it. */
  async function onElement<R>(run: (elements: HTMLElement[], argument: never) => R, argument?: unknown): Promise<R> {
    const end = Date.now() + stepTimeout;
    while ((await locator.count()) === 0) {
      if (Date.now() > end) throw new Error(`not found: ${JSON.stringify(selector)}`);
      await sleep(pollInterval);
    }
    return onElements(run, argument);
  }

  const locator: Locator = {
    first: () => createLocator(send, { by: "at", of: selector, index: 0 }),
    last: () => createLocator(send, { by: "at", of: selector, index: -1 }),
    or: (other) => createLocator(send, { by: "or", either: selector, other: selectorOf(other) }),
    filter({ hasText, hasNotText }) {
      const [text, isWanted] = hasText === undefined ? [hasNotText, false] : [hasText, true];
      return createLocator(send, { by: "filter", of: selector, text: toPattern(text ?? ""), isWanted });
    },
    getByRole: (...sought) => createFinders(send, selector).getByRole(...sought),
    count: () => onElements((elements) => elements.length),
    isVisible: () => onElements((elements) => elements[0]?.checkVisibility({ visibilityProperty: true }) ?? false),
    waitFor: async () => void (await waitForElement()),
    textContent: () => onElement(([element]) => element?.textContent ?? null),
    allTextContents: () => onElements((elements) => elements.map(({ textContent }) => textContent ?? "")),
    getAttribute: (name) => onElement(([element], attribute) => element?.getAttribute(attribute) ?? null, name),
    evaluateAll: (run) => onElements(run),
    click: () => act("click"),
    async fill(text) {
      await act("clear");
      await act("value", { text });
    },
    async setChecked(checked) {
      if ((await onElement(([element]) => (element as HTMLInputElement).checked)) !== checked) await act("click");
    },
  };
  selectors.set(locator, selector);
  return locator;
}
