import type { Scenario } from "./scenario.ts";
import { type Flight, parseFlight, type Reply, type Step, type Tab, toFlight, type World, withItem } from "./world.ts";

/** Returns what the browser's tabs can do in this state. */
export function toClientSteps(world: World, scenario: Scenario): Step[] {
  return world.tabs.flatMap((tab, index) => {
    if (world.tabs.indexOf(tab) !== index) return [];
    const toStep = (label: string, change: Partial<World>, next: Tab): Step => {
      const tabs = world.tabs.with(index, next);
      return {
        label,
        event: { kind: "client" },
        before: world,
        after: withoutStrayReplies({ ...world, ...change, tabs }),
      };
    };
    if (tab === "idle") return start(world, toStep);
    if (tab.startsWith("deletes ")) return deleteKey(world, tab.slice("deletes ".length), toStep);
    const flight = tab.slice("waits ".length) as Flight;
    return [toStep(`a tab gives up ${flight}`, {}, "idle"), ...receive(world, flight, scenario, toStep)];
  });
}

type ToStep = (label: string, change: Partial<World>, next: Tab) => Step;

/** A tab stores the idempotency key, then sends the jar's token with the key that all tabs share. */
function start(world: World, toStep: ToStep): Step[] {
  if (world.jar === null) return [];
  const pending = world.pending ?? toFreshKey(world, world.jar);
  const flight = toFlight(world.jar, pending);
  const requests = withItem(world.requests, flight);
  return [toStep(`a tab sends ${flight}`, { pending, requests }, `waits ${flight}`)];
}

/** A tab receives one of the answers that the network holds for its flight. */
function receive(world: World, flight: Flight, scenario: Scenario, toStep: ToStep): Step[] {
  const { generation, key } = parseFlight(flight);
  const replies = world.replies.filter((reply) => reply.startsWith(`${flight} `));
  return replies.map((text) => {
    const reply = text.slice(flight.length + 1) as Reply;
    const label = `a tab receives the answer to ${flight}: ${reply}`;
    if (reply === "session ended") return toStep(label, { jar: null, pending: null }, "idle");
    if (reply === "refused") return toStep(label, {}, "idle");
    const jar = generation + 1;
    if (scenario.deletesKey === "after the token") return toStep(label, { jar }, `deletes ${key}`);
    return toStep(label, { jar, pending: world.pending === key ? null : world.pending }, "idle");
  });
}

/** The script of an answered tab deletes the key, unless another key has replaced it; or the tab closes before. */
function deleteKey(world: World, key: string, toStep: ToStep): Step[] {
  const pending = world.pending === key ? null : world.pending;
  return [
    toStep(`a tab deletes the idempotency key ${key}`, { pending }, "idle"),
    toStep("a tab closes before it deletes its idempotency key", {}, "idle"),
  ];
}

/** Returns a key that has not been used yet: "0a", "0b" … for generation 0. */
function toFreshKey({ requests, rotation }: World, generation: number): string {
  const isUsed = (key: string): boolean =>
    rotation?.key === key || requests.some((flight) => flight.endsWith(`/${key}`));
  let letter = 0;
  const toKey = () => `${generation}${String.fromCharCode(97 + letter)}`;
  while (isUsed(toKey())) letter++;
  return toKey();
}

/** Drops the answers to flights that no tab waits for any more, as a browser does. */
export function withoutStrayReplies(world: World): World {
  const isWaitedFor = (reply: string) => world.tabs.includes(`waits ${reply.slice(0, reply.indexOf(" "))}` as Tab);
  return world.replies.every(isWaitedFor) ? world : { ...world, replies: world.replies.filter(isWaitedFor) };
}

/**
 * Drops the flights whose token is two generations old. The model assumes that the network ends them before: a request
 * that is delivered later can't be told from a thief's.
 */
export function withoutOldFlights(world: World): World {
  const oldest = (world.snapshot.session?.generation ?? 0) - 1;
  const isYoung = (flight: string) => Number.parseInt(flight, 10) >= oldest;
  return {
    ...world,
    requests: world.requests.filter(isYoung),
    replies: world.replies.filter(isYoung),
    tabs: world.tabs.map((tab) => (tab.startsWith("waits ") && !isYoung(tab.slice("waits ".length)) ? "idle" : tab)),
  };
}

/**
 * Merges the worlds whose session is revoked: nothing that the browser or the thief does can change what the server
 * does then. In the merged world, every token that was ever issued is presented.
 */
export function withoutAfterlife(world: World): World {
  const { session } = world.snapshot;
  if (session?.revokedAt == null || world.login !== "logged in") return world;
  const tabs = world.tabs.map(() => "idle" as const);
  return { ...world, jar: session.generation, pending: null, tabs, requests: [], replies: [], loot: [] };
}
