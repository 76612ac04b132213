import { element } from "../dom.ts";
import { type DemoState, type Lane, now } from "./events.ts";
import { laneNames } from "./timeline.ts";

/** What the page knows about the second tab. */
export type SecondTab = "closed" | "open" | "out";

/** Shows who holds which token now. */
export interface Holders {
  readonly root: HTMLElement;
  readonly show: (state: DemoState | undefined, second: SecondTab, reuseInterval: number) => void;
}

type Status = "none" | "good" | "odd" | "bad" | "shut";

interface Holder {
  readonly status: Status;
  /** The number of the token, or a sign. */
  readonly token: string;
  readonly text: string;
}

const nothing = (text: string): Holder => ({ status: "none", token: "–", text });

/** Creates the row of the four holders. */
export function createHolders(): Holders {
  const cells = Object.fromEntries(
    Object.entries(laneNames).map(([lane, name]) => [lane, createCell(name)]),
  ) as Readonly<Record<Lane, ReturnType<typeof createCell>>>;
  return {
    root: element(
      "ul",
      { class: "holders", "aria-label": "Who holds what" },
      ...Object.values(cells).map(({ root }) => root),
    ),
    show(state, second, reuseInterval) {
      cells.tab.show(toTab(state));
      cells.second.show(toSecond(state, second));
      cells.attacker.show(toAttacker(state, reuseInterval));
      cells.node.show(toNode(state));
    },
  };
}

function createCell(name: string) {
  const token = element("span", { class: "token" });
  const text = element("small", {});
  const root = element("li", {}, token, element("span", {}, element("b", {}, name), text));
  return {
    root,
    show(holder: Holder): void {
      root.className = holder.status;
      if (token.textContent !== holder.token) token.textContent = holder.token;
      if (text.textContent !== holder.text) text.textContent = holder.text;
    },
  };
}

function toTab(state: DemoState | undefined): Holder {
  if (state === undefined) return nothing("not connected");
  if (state.tabIsOut) return { status: "shut", token: "✕", text: "logged out" };
  const token = String(state.tab);
  return state.tab < state.generation
    ? { status: "odd", token, text: "spent, and you don't know" }
    : { status: "good", token, text: "newest refresh token" };
}

function toSecond(state: DemoState | undefined, second: SecondTab): Holder {
  if (state === undefined || second === "closed") return nothing("not open");
  if (second === "out" || state.tabIsOut) return { status: "shut", token: "✕", text: "logged out" };
  return { status: "good", token: String(state.tab), text: "shares the session" };
}

function toAttacker(state: DemoState | undefined, reuseInterval: number): Holder {
  if (state === undefined || state.attacker === null) return nothing("has nothing");
  const token = String(state.attacker);
  if (state.tabIsOut && state.nodeIsOut) return { status: "shut", token: "✕", text: "everything is refused" };
  if (state.attackerIsIn && state.attacker === state.generation)
    return { status: "bad", token, text: "is logged in as you" };
  if (state.attacker === state.generation) return { status: "odd", token, text: "a copy that works" };
  const left = (state.rotatedAt ?? 0) + reuseInterval * 1000 - now();
  if (state.attacker === state.generation - 1 && left > 0) {
    return { status: "odd", token, text: `spent; passes as a retry for ${Math.ceil(left / 1000)} s` };
  }
  return {
    status: state.attackerIsIn ? "bad" : "none",
    token,
    text: state.attackerIsIn ? "spent; its access token works" : "spent: useless",
  };
}

function toNode(state: DemoState | undefined): Holder {
  if (state === undefined) return nothing("not connected");
  return state.nodeIsOut
    ? { status: "shut", token: "✕", text: "refuses the session" }
    : { status: "good", token: "✓", text: "accepts the session" };
}
