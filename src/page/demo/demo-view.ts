import type { Client } from "../../client/index.ts";
import { createButton, createHeading, element } from "../dom.ts";
import { toMessage } from "../messages.ts";
import { toClockText } from "../time.ts";
import type { View } from "../view.ts";
import { createActions, type DemoButton } from "./actions.ts";
import { type DemoState, followEvents, type Line, now } from "./events.ts";
import { createHolders } from "./holders.ts";
import { createPair } from "./pair.ts";
import { createPlayer, Stopped } from "./player.ts";
import { createResult } from "./result.ts";
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
  const timeline = createTimeline();
  const actions = createActions({ client, authPath, csrfHeader });
  let state: DemoState | undefined;
  let reuseInterval = 10;
  let isBusy = false;
  let stopEvents: (() => void) | undefined;
  /** Called when the server has sent the state of a new run, or when its events were lost. */
  let onReady: ((isReady: boolean) => void) | undefined;

  const add = (line: Line) => timeline.add(line);
  const isOver = () => state?.tabIsOut === true || client.session().status !== "authenticated";
  const refresh = async () => void (await client.refresh());
  /** Refreshes, and waits until the server's events say so: they may arrive after the response. */
  async function refreshAndSee(): Promise<void> {
    const before = state?.tab;
    await refresh();
    for (let tries = 0; tries < 100 && state?.tab === before && !isOver(); tries++) await sleep(50);
  }
  const player = createPlayer(
    { state: () => state, reuseInterval: () => reuseInterval, press: actions.press, refresh: refreshAndSee },
    isOver,
  );
  const result = createResult(
    "Press one of the three. It takes about 20 seconds, and uses your own session.",
    player.root,
  );
  const pair = createPair({
    client,
    mePath: `${authPath}/me/`,
    add,
    generation: () => state?.generation ?? 0,
    expireAccess: () => actions.press("expire-access"),
    onChange: tick,
  });

  function tick(): void {
    holders.show(state, pair.second(), reuseInterval);
    const countdown = isOver() ? undefined : client.countdown();
    expiryLine.classList.toggle("gone", countdown === undefined);
    userName.textContent = client.session().user?.username ?? "";
    if (countdown) expiry.textContent = toClockText(countdown.accessExpiresIn);
    // They keep the focus, which `disabled` would take away.
    for (const button of scriptButtons) setUsable(button, state !== undefined && !isBusy);
    const isIdle = state !== undefined && !isOver() && !isBusy;
    for (const button of manual) setUsable(button, isIdle && (button !== useCopy || state?.attacker != null));
    again.classList.toggle("primary", state !== undefined && isOver() && !isBusy);
  }

  function clear(): void {
    result.clear();
    copied.textContent = "";
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
      if (!isExpected) result.showError(error instanceof Error ? error.message : toMessage(error));
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
        onReady?.(true);
        tick();
      },
      outcome(outcome) {
        // What a script does on its way is in the timeline.
        if (!player.isPlaying() || isOver()) result.show(outcome);
      },
      lost() {
        onReady?.(false);
        if (!isOver()) result.showError("The connection to the server was lost. Start over to continue.");
      },
    });
    tick();
  }

  /** Begins again, with a new session if this one is revoked. Returns whether that worked. */
  async function startOver(): Promise<boolean> {
    player.stop();
    if (!isOver()) {
      begin();
      return true;
    }
    if (state?.canStartOver !== true) {
      location.reload();
      return false;
    }
    // The client's state changes, and the page calls `begin`.
    if (await actions.startOver().catch(() => false)) {
      await client.reload();
      return true;
    }
    result.showError("The server doesn't let you in now. Try again in a few seconds, or reload the page to log in.");
    return false;
  }

  /** Plays a script from the start of a timeline. */
  async function play(script: Script): Promise<void> {
    const ready = new Promise<boolean>((resolve) => {
      onReady = resolve;
    });
    if (!(await startOver()) || !(await ready)) return;
    onReady = undefined;
    await player.play(script);
  }

  async function copy(): Promise<void> {
    const text = [heading.textContent, result.toText(), timeline.toText()].filter(Boolean).join("\n\n");
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
  const scriptButtons = scripts.map((script) => createAction(script.name, script.hint, () => play(script), "primary"));
  const useCopy = createAction("Use the stolen token", "as the attacker, now", press("use-copy"));
  const again = createButton("Start over", startOver);
  const groups = [
    [
      "You",
      createAction("Refresh now", "spends this token", refresh),
      createAction("Lose a response", "the answer never arrives", async () => {
        await actions.press("lose-response");
        await refresh();
      }),
      createAction("Open a second tab", "both refresh at once", async () => result.show(await pair.callFromBoth())),
    ],
    ["Attacker", createAction("Steal this token", "copies it from your browser", press("steal")), useCopy],
    [
      "Another node",
      createAction("Revoke from another node", "when does this one know?", press("revoke")),
      createAction("Disable me", "as staff would, for 10\u00a0s", press("disable")),
    ],
  ] as const;
  const manual = groups.flatMap(([, ...group]) => group);
  const timer = setInterval(tick, 250);
  tick();
  const toRoot = () =>
    element(
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
        ...groups.map(([name, ...group]) =>
          element(
            "div",
            { class: "group", role: "group", "aria-label": name },
            element("p", { class: "quiet" }, name),
            ...group,
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
    );
  return {
    root: toRoot(),
    begin,
    loggedOut(why) {
      add({ at: now(), lane: "tab", tone: "odd", title: "Logged out", detail: why });
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

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function setUsable(button: HTMLElement, isUsable: boolean): void {
  if (isUsable) button.removeAttribute("aria-disabled");
  else button.setAttribute("aria-disabled", "true");
}
