import { element } from "../dom.ts";
import type { Script, Stage } from "./scripts.ts";

/** Plays scripts, and shows what they wait for. */
export interface Player {
  readonly root: HTMLElement;
  readonly isPlaying: () => boolean;
  /** Plays a script to its end, or until it is stopped. */
  readonly play: (script: Script) => Promise<void>;
  readonly stop: () => void;
}

/** Thrown in a script that is stopped. */
export class Stopped extends Error {}

/** Creates a player. `isOver` says that the session is revoked, so that no script can continue. */
export function createPlayer(stage: Omit<Stage, "wait">, isOver: () => boolean): Player {
  const bar = element("progress", { "aria-hidden": "true", max: "1", value: "0" });
  const text = element("p", {});
  const root = element("div", { class: "progress", hidden: "" }, text, bar);
  let playing: AbortController | undefined;

  function wait(milliseconds: number, what: string): Promise<void> {
    const signal = playing?.signal;
    const end = performance.now() + milliseconds;
    root.hidden = false;
    text.textContent = what;
    return new Promise((resolve, reject) => {
      function step(): void {
        const left = end - performance.now();
        bar.value = milliseconds === 0 ? 1 : 1 - Math.max(0, left) / milliseconds;
        if (signal?.aborted || isOver()) reject(new Stopped());
        else if (left <= 0) resolve();
        else setTimeout(step, Math.min(100, left));
      }
      step();
    });
  }

  return {
    root,
    isPlaying: () => playing !== undefined,
    async play(script) {
      playing = new AbortController();
      try {
        await script.play({ ...stage, wait });
      } finally {
        playing = undefined;
        root.hidden = true;
      }
    },
    stop: () => playing?.abort(),
  };
}
