import { element } from "../dom.ts";
import type { Lane, Line } from "./events.ts";

/** The names of the lanes, in their order. */
export const laneNames: Readonly<Record<Lane, string>> = {
  tab: "This tab",
  second: "Second tab",
  attacker: "Attacker",
  node: "Another node",
};

/** The timeline of a run. */
export interface Timeline {
  readonly root: HTMLElement;
  readonly add: (line: Line) => void;
  readonly clear: () => void;
  /** Returns the lines as text, one per line. */
  readonly toText: () => string;
}

/** Creates an empty timeline. */
export function createTimeline(): Timeline {
  const list = element("ol", { class: "timeline" });
  const root = element("div", { class: "log", role: "log", "aria-label": "Timeline" }, list);
  const lines: Line[] = [];

  const toTime = ({ at }: Line) => `${(Math.max(0, at - (lines[0]?.at ?? at)) / 1000).toFixed(1)} s`;

  function add(line: Line): void {
    // Events of the page and of the server may arrive in another order.
    const place = lines.findLastIndex(({ at }) => at <= line.at) + 1;
    lines.splice(place, 0, line);
    const row = element(
      "li",
      { class: `lane-${line.lane}` },
      element("time", {}, toTime(line)),
      element(
        "div",
        { class: `event ${line.tone}` },
        element("span", { class: "lane-name" }, laneNames[line.lane]),
        element("b", {}, line.title),
        element("small", {}, line.detail),
      ),
    );
    list.insertBefore(row, list.children[place] ?? null);
  }

  return {
    root,
    add,
    clear() {
      lines.length = 0;
      list.replaceChildren();
    },
    toText: () =>
      lines
        .map((line) => `${toTime(line).padStart(7)}  ${laneNames[line.lane]}: ${line.title} (${line.detail})`)
        .join("\n"),
  };
}
