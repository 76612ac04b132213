import { type DemoState, now } from "./events.ts";

/** What a script can do. */
export interface Stage {
  readonly state: () => DemoState | undefined;
  /** The server's setting, in seconds. */
  readonly reuseInterval: () => number;
  readonly press: (button: "steal" | "use-copy") => Promise<void>;
  readonly refresh: () => Promise<void>;
  /**
   * Waits, and shows for what.
   *
   * @throws if the script is stopped.
   */
  readonly wait: (milliseconds: number, text: string) => Promise<void>;
}

/** A script that plays by itself. */
export interface Script {
  readonly name: string;
  readonly hint: string;
  readonly play: (stage: Stage) => Promise<void>;
}

/** Returns how long a step is looked at, in milliseconds: 2 s, or less if the grace period is short. */
const toPause = (stage: Stage) => Math.min(2_000, stage.reuseInterval() * 200);

/** What is waited for beyond the grace period, which the server counts in whole seconds, in milliseconds. */
const margin = 1_200;

async function waitUntilSpent(stage: Stage, text: string): Promise<void> {
  const over = (stage.state()?.rotatedAt ?? now()) + stage.reuseInterval() * 1000 + margin;
  await stage.wait(Math.max(0, over - now()), text);
}

const toSpentText = (stage: Stage) =>
  `You have refreshed: the copy is spent. The attacker comes after ${stage.reuseInterval()} s, when it no longer passes as a retry.`;

/** The three scripts. */
export const scripts: readonly Script[] = [
  {
    name: "Attacker comes late",
    hint: "uses the copy after you have refreshed",
    async play(stage) {
      await stage.press("steal");
      await stage.wait(toPause(stage), "The attacker has a copy. You don't notice.");
      await stage.refresh();
      await waitUntilSpent(stage, toSpentText(stage));
      await stage.press("use-copy");
    },
  },
  {
    name: "Attacker comes first",
    hint: "uses the copy before you refresh",
    async play(stage) {
      await stage.press("steal");
      await stage.wait(toPause(stage), "The attacker has a copy. You don't notice.");
      await stage.press("use-copy");
      await waitUntilSpent(stage, "The attacker is logged in as you, until your browser refreshes.");
      await stage.refresh();
    },
  },
  {
    name: "Attacker is quick",
    hint: "uses it seconds after your refresh",
    async play(stage) {
      await stage.press("steal");
      await stage.wait(toPause(stage), "The attacker has a copy. You don't notice.");
      await stage.refresh();
      await stage.wait(
        toPause(stage),
        "The attacker hurries. So soon after your refresh, its request looks like a retry after a lost response.",
      );
      await stage.press("use-copy");
      await stage.wait(toPause(stage), "Both hold the same token. Your browser refreshes as usual.");
      await stage.refresh();
      await waitUntilSpent(
        stage,
        "The attacker's token is spent now. It needs a new one before its access token expires.",
      );
      await stage.press("use-copy");
    },
  },
];
