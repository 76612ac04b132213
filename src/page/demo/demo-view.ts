import { createButton, createHeading, element } from "../dom.ts";
import { toClockText } from "../time.ts";
import type { View } from "../view.ts";
import { createDemoController, type DemoOptions } from "./demo-controller.ts";
import { createHolders } from "./holders.ts";
import { scripts } from "./scripts.ts";

/** The view of the demonstration. It stays when the session is revoked. */
export interface DemoView extends View {
  /** Begins again with the session that the client shows. */
  readonly begin: () => void;
  /** Adds that this tab is logged out, and why. */
  readonly loggedOut: (why: string) => void;
}

/** Creates the view. Call `begin` when a user is logged in. */
export function createDemoView(options: DemoOptions): DemoView {
  const { client } = options;
  const heading = createHeading("h1", "What happens if your token is stolen?");
  const copied = element("span", { class: "quiet", role: "status" });
  const expiry = element("b", {});
  const userName = element("b", {});
  const expiryLine = element(
    "div",
    { class: "quiet session" },
    element("p", {}, "You are logged in as ", userName, ". Your access token expires in ", expiry, "."),
    createButton("Log out", () => client.logout()),
  );
  const holders = createHolders();
  const demo = createDemoController(options, show);
  const { result, timeline } = demo;

  const scriptButtons = scripts.map((script) =>
    createAction({ name: script.name, hint: script.hint, look: "primary" }, () => demo.play(script)),
  );
  const useCopy = createAction({ name: "Use the stolen token", hint: "as the attacker, now" }, () =>
    demo.press("use-copy"),
  );
  const groups = {
    You: [
      createAction({ name: "Refresh now", hint: "spends this token" }, demo.refresh),
      createAction({ name: "Lose a response", hint: "the answer never arrives" }, async () => {
        await demo.press("lose-response");
        await demo.refresh();
      }),
      createAction({ name: "Open a second tab", hint: "both refresh at once" }, async () =>
        result.show(await demo.callFromBothTabs()),
      ),
    ],
    Attacker: [
      createAction({ name: "Steal this token", hint: "copies it from your browser" }, () => demo.press("steal")),
      useCopy,
    ],
    "Another node": [
      createAction({ name: "Revoke from another node", hint: "when does this one know?" }, () => demo.press("revoke")),
      createAction({ name: "Disable me", hint: "as staff would, for 10\u00a0s" }, () => demo.press("disable")),
    ],
  };
  const manualButtons = Object.values(groups).flat();
  const again = createButton("Start over", () => {
    copied.textContent = "";
    return demo.startOver();
  });

  /** Shows the state, and how long the access token is valid. */
  function show(): void {
    const state = demo.state();
    const isOver = demo.isOver();
    const canAct = state !== undefined && !demo.isBusy();
    holders.show(state, demo.secondTab(), demo.reuseInterval());
    const countdown = isOver ? undefined : client.countdown();
    expiryLine.classList.toggle("gone", countdown === undefined);
    userName.textContent = client.session().user?.username ?? "";
    if (countdown) expiry.textContent = toClockText(countdown.accessExpiresIn);
    // They keep the focus, which `disabled` would take away.
    for (const button of scriptButtons) setUsable(button, canAct);
    for (const button of manualButtons) {
      setUsable(button, canAct && !isOver && (button !== useCopy || state.attacker !== null));
    }
    again.classList.toggle("primary", canAct && isOver);
  }

  function createAction(
    { name, hint, look = "" }: { readonly name: string; readonly hint: string; readonly look?: string },
    action: () => Promise<void>,
  ): HTMLButtonElement {
    const button = element("button", { type: "button", class: `action ${look}` });
    button.addEventListener("click", async () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      copied.textContent = "";
      button.classList.add("playing");
      await demo.run(action);
      button.classList.remove("playing");
    });
    button.append(element("span", {}, name), element("small", {}, hint));
    return button;
  }

  async function copy(): Promise<void> {
    const text = [heading.textContent, result.toText(), timeline.toText()].filter(Boolean).join("\n\n");
    copied.textContent = await navigator.clipboard.writeText(text).then(
      () => "Copied.",
      () => "Your browser doesn't allow copying.",
    );
  }

  const timer = setInterval(show, 250);
  show();
  return {
    root: element(
      "div",
      { class: "demo" },
      element(
        "header",
        {},
        heading,
        element(
          "p",
          {},
          "A refresh token works once. The second use gives the attacker away, and every node refuses the session within a second. Choose when the attacker strikes:",
        ),
      ),
      element("div", { class: "scripts" }, ...scriptButtons),
      result.root,
      element(
        "section",
        { class: "card flush stage" },
        element(
          "div",
          { class: "bar" },
          createHeading("h2", "Timeline"),
          element("div", { class: "actions" }, copied, createButton("Copy as text", copy), again),
        ),
        holders.root,
        timeline.root,
      ),
      element(
        "section",
        { class: "card manual" },
        createHeading("h2", "Or do it yourself"),
        ...Object.entries(groups).map(([name, buttons]) =>
          element(
            "div",
            { class: "group", role: "group", "aria-label": name },
            element("p", { class: "quiet" }, name),
            ...buttons,
          ),
        ),
        expiryLine,
      ),
      element(
        "p",
        { class: "quiet" },
        "Nothing here is simulated: it is your own session, with real requests and measured times. Your tokens are in HttpOnly " +
          "cookies, which no script can read. The attacker's copy stays on the server. This page exists only with ",
        element("code", {}, "--demo"),
        ", on this machine.",
      ),
    ),
    begin() {
      copied.textContent = "";
      demo.begin();
    },
    loggedOut: demo.loggedOut,
    focus: () => heading.focus(),
    dispose() {
      clearInterval(timer);
      demo.dispose();
    },
  };
}

function setUsable(button: HTMLElement, isUsable: boolean): void {
  if (isUsable) button.removeAttribute("aria-disabled");
  else button.setAttribute("aria-disabled", "true");
}
