import type { Client } from "../../client/index.ts";
import { createButton, createHeading, element } from "../dom.ts";
import { toMessage } from "../messages.ts";
import { toClockText } from "../time.ts";
import type { View } from "../view.ts";
import { createActions, type DemoButton } from "./actions.ts";
import { type DemoState, followEvents, type Line, now, type Outcome } from "./events.ts";
import { createHolders } from "./holders.ts";
import { createPair } from "./pair.ts";
import { createPlayer, Stopped } from "./player.ts";
import { type Script, scripts } from "./scripts.ts";
import { createTimeline } from "./timeline.ts";

/** What the view needs to know about the page. */
export interface DemoOptions {
  readonly client: Client;
  readonly authPath: string;
  readonly csrfHeader: string;
}

/** The view of the demonstration. It stays when the session is revoked. */
export interface DemoView extends View {
  /** Begins again with the session that the client shows. */
  readonly begin: () => void;
  /** Adds that this tab is logged out, and why. */
  readonly loggedOut: (why: string) => void;
}

/** Creates the view. Call `begin` when a user is logged in. */
export function createDemoView({ client, authPath, csrfHeader }: DemoOptions): DemoView {
  const heading = createHeading("h1", "What happens if your token is stolen?");
  const outcome = element("p", { class: "outcome", role: "status" });
  const alert = element("p", { class: "message error", role: "alert" });
  const copied = element("span", { class: "quiet", role: "status" });
  const expiry = element("b", {});
  const holders = createHolders();
  const timeline = createTimeline();
  const actions = createActions({ client, authPath, csrfHeader });
  let state: DemoState | undefined;
  let reuseInterval = 10;
  let isBusy = false;
  let stopEvents: (() => void) | undefined;

  const add = (line: Line) => timeline.add(line);
  const isOver = () => state?.tabIsOut === true || client.session().status !== "authenticated";
  const refresh = async () => void (await client.refresh());
  const player = createPlayer(
    { state: () => state, reuseInterval: () => reuseInterval, press: actions.press, refresh },
    isOver,
  );
  const pair = createPair({
    ...{ client, mePath: `${authPath}/me/`, add },
    generation: () => state?.generation ?? 0,
    expireAccess: () => actions.press("expire-access"),
    onChange: tick,
  });

  function tick(): void {
    holders.show(state, pair.second(), reuseInterval);
    const countdown = client.countdown();
    expiry.textContent = countdown ? toClockText(countdown.accessExpiresIn) : "–:––";
    const isIdle = state !== undefined && !isOver() && !isBusy;
    // They keep the focus, which `disabled` would take away.
    for (const button of buttons) setUsable(button, isIdle && (button !== useCopy || state?.attacker != null));
    again.classList.toggle("primary", state !== undefined && isOver());
  }

  function showOutcome({ tone, text }: Outcome): void {
    outcome.className = `outcome ${tone}`;
    outcome.textContent = text;
  }

  function clear(): void {
    outcome.className = "outcome";
    for (const part of [outcome, alert, copied]) part.textContent = "";
  }

  /** Runs an action, one at a time, and shows its error. */
  async function act(button: HTMLElement, run: () => Promise<void>): Promise<void> {
    clear();
    isBusy = true;
    button.classList.add("playing");
    tick();
    try {
      await run();
    } catch (error) {
      const isExpected = error instanceof Stopped || isOver();
      if (!isExpected) alert.textContent = error instanceof Error ? error.message : toMessage(error);
    }
    isBusy = false;
    button.classList.remove("playing");
    tick();
  }

  function begin(): void {
    stopEvents?.();
    player.stop();
    state = undefined;
    timeline.clear();
    clear();
    stopEvents = followEvents({
      run(run) {
        actions.run = run.id;
        ({ reuseInterval } = run);
        pair.greet();
      },
      line: add,
      state(next) {
        state = next;
        tick();
      },
      outcome: showOutcome,
      lost() {
        if (!isOver()) alert.textContent = "The connection to the server was lost. Start over to continue.";
      },
    });
    tick();
  }

  async function startOver(): Promise<void> {
    player.stop();
    if (!isOver()) return begin();
    if (state?.canStartOver !== true) return location.reload();
    // The client's state changes, and the page calls `begin`.
    if (await actions.startOver().catch(() => false)) await client.reload();
    else
      alert.textContent =
        "The server doesn't let you in now. Try again in a few seconds, or reload the page to log in.";
  }

  async function copy(): Promise<void> {
    const text = [heading.textContent, outcome.textContent, timeline.toText()].filter(Boolean).join("\n\n");
    copied.textContent = await navigator.clipboard.writeText(text).then(
      () => "Copied.",
      () => "Your browser doesn't allow copying.",
    );
  }

  function createAction(name: string, hint: string, run: () => Promise<void>, look = ""): HTMLButtonElement {
    const button = element("button", { type: "button", class: `action ${look}` });
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") !== "true") void act(button, run);
    });
    button.append(element("span", {}, name), element("small", {}, hint));
    return button;
  }

  const press = (button: DemoButton) => () => actions.press(button);
  const play = (script: Script) => createAction(script.name, script.hint, () => player.play(script), "primary");
  const useCopy = createAction("Use the stolen token", "as the attacker, now", press("use-copy"));
  const again = createButton("Start over", startOver);
  const manual = [
    createAction("Refresh now", "spends this token, gets the next", refresh),
    createAction("Lose a response", "the server answers, nothing arrives", async () => {
      await actions.press("lose-response");
      await refresh();
    }),
    createAction("Open a second tab", "both need a new token at once", async () =>
      showOutcome(await pair.callFromBoth()),
    ),
    createAction("Steal this token", "an attacker copies it", press("steal")),
    useCopy,
    createAction("Revoke from another node", "and see how soon this one knows", press("revoke")),
    createAction("Disable me", "as staff would; undone in 10 s", press("disable")),
  ];
  const buttons = [...scripts.map(play), ...manual];
  const timer = setInterval(tick, 250);
  tick();
  const toRoot = () =>
    element(
      "div",
      { class: "demo" },
      element("header", {}, heading, element("p", {}, "Choose when the attacker strikes, and watch who gets in.")),
      element("div", { class: "scripts" }, ...buttons.slice(0, scripts.length)),
      element("div", { class: "result" }, player.root, outcome, alert),
      element(
        "section",
        { class: "card flush" },
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
        { class: "card" },
        createHeading("h2", "Or do it yourself"),
        element("div", { class: "manual" }, ...manual),
        element("p", { class: "quiet" }, "Your access token expires in ", expiry, "."),
      ),
      element(
        "p",
        { class: "quiet" },
        "Nothing here is simulated: it is your own session, with real requests and measured times. Your tokens are in HttpOnly " +
          "cookies, which no script can read. The attacker's copy stays on the server. This page exists only with --demo, on this machine.",
      ),
    );
  return {
    root: toRoot(),
    begin,
    loggedOut(why) {
      add({ at: now(), lane: "tab", tone: "bad", title: "Logged out", detail: why });
      tick();
    },
    focus: () => heading.focus(),
    dispose() {
      player.stop();
      stopEvents?.();
      clearInterval(timer);
      pair.dispose();
    },
  };
}

function setUsable(button: HTMLElement, isUsable: boolean): void {
  if (isUsable) button.removeAttribute("aria-disabled");
  else button.setAttribute("aria-disabled", "true");
}
