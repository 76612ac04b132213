import type { Client } from "../../client/index.ts";
import { toMessage } from "../messages.ts";
import { createActions, type DemoButton } from "./actions.ts";
import { type DemoState, followEvents, now, type Outcome } from "./events.ts";
import type { SecondTab } from "./holders.ts";
import { createPair } from "./pair.ts";
import { createPlayer, Stopped } from "./player.ts";
import { createResult, type Result } from "./result.ts";
import type { Script } from "./scripts.ts";
import { createTimeline, type Timeline } from "./timeline.ts";

/** What the demonstration needs to know about the page. */
export interface DemoOptions {
  readonly client: Client;
  readonly authPath: string;
  readonly csrfHeader: string;
}

/** Runs the demonstration: follows its events, and does what the buttons say. */
export interface DemoController {
  readonly timeline: Timeline;
  readonly result: Result;
  /** Returns what the server says. `undefined` until it has begun a run. */
  readonly state: () => DemoState | undefined;
  /** Returns the setting `reuseInterval`, in seconds. */
  readonly reuseInterval: () => number;
  readonly secondTab: () => SecondTab;
  /** Returns whether the session is revoked. */
  readonly isOver: () => boolean;
  /** Returns whether an action runs. */
  readonly isBusy: () => boolean;
  /** Begins a new run with the session that the client shows. */
  readonly begin: () => void;
  /** Begins again, with a new session if this one is revoked. Returns whether that worked. */
  readonly startOver: () => Promise<boolean>;
  /** Runs an action, one at a time, and shows its error. */
  readonly run: (action: () => Promise<void>) => Promise<void>;
  readonly press: (button: DemoButton) => Promise<void>;
  readonly refresh: () => Promise<void>;
  readonly callFromBothTabs: () => Promise<Outcome>;
  /** Plays a script from the start of a timeline. */
  readonly play: (script: Script) => Promise<void>;
  /** Adds that this tab is logged out, and why. */
  readonly loggedOut: (why: string) => void;
  readonly dispose: () => void;
}

/** Creates the controller. `onChange` is called after every change. */
export function createDemoController(
  { client, authPath, csrfHeader }: DemoOptions,
  onChange: () => void,
): DemoController {
  const timeline = createTimeline();
  const actions = createActions({ client, authPath, csrfHeader });
  let state: DemoState | undefined;
  let reuseInterval = 10;
  let isBusy = false;
  let stopEvents: (() => void) | undefined;
  /** Called when the server has sent the state of a new run, or when its events were lost. */
  let onReady: ((isReady: boolean) => void) | undefined;

  const isOver = () => state?.tabIsOut === true || client.session().status !== "authenticated";
  const refresh = async () => void (await client.refresh());
  /** Waits until the server's events have made this true: they may arrive after the response. */
  async function see(isTrue: () => boolean): Promise<void> {
    for (let tries = 0; tries < 100 && !isTrue() && !isOver(); tries++) await sleep(50);
  }
  async function refreshAndSee(): Promise<void> {
    const before = state?.tab;
    await refresh();
    await see(() => state?.tab !== before);
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
    add: timeline.add,
    generation: () => state?.generation ?? 0,
    see,
    expireAccess: () => actions.press("expire-access"),
    onChange,
  });

  function begin(): void {
    stopEvents?.();
    player.stop();
    state = undefined;
    timeline.clear();
    result.clear();
    stopEvents = followEvents({
      run(run) {
        actions.run = run.id;
        ({ reuseInterval } = run);
        pair.greet();
      },
      line: timeline.add,
      state(next) {
        state = next;
        onReady?.(true);
        onChange();
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
    onChange();
  }

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

  return {
    timeline,
    result,
    state: () => state,
    reuseInterval: () => reuseInterval,
    secondTab: pair.second,
    isOver,
    isBusy: () => isBusy,
    begin,
    startOver,
    async run(action) {
      result.clear();
      isBusy = true;
      onChange();
      try {
        await action();
      } catch (error) {
        const isExpected = error instanceof Stopped || isOver();
        if (!isExpected) result.showError(error instanceof Error ? error.message : toMessage(error));
      }
      isBusy = false;
      onChange();
    },
    press: actions.press,
    refresh,
    callFromBothTabs: pair.callFromBoth,
    async play(script) {
      const ready = new Promise<boolean>((resolve) => {
        onReady = resolve;
      });
      if (!(await startOver()) || !(await ready)) return;
      onReady = undefined;
      await player.play(script);
    },
    loggedOut(why) {
      timeline.add({ at: now(), lane: "tab", tone: "odd", title: "Logged out", detail: why });
      onChange();
    },
    dispose() {
      player.stop();
      stopEvents?.();
      pair.dispose();
    },
  };
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
