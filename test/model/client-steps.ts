import type { Scenario } from "./scenario.ts";
import { type Flight, parseFlight, type Reply, type Step, type Tab, toFlight, type World, withItem } from "./world.ts";

/** What the browser's tabs can do in this state. */
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
    if (tab.startsWith("forgets ")) return forget(world, tab.slice("forgets ".length), toStep);
    const flight = tab.slice("waits ".length) as Flight;
    return [toStep(`a tab gives up ${flight}`, {}, "idle"), ...receive(world, flight, scenario, toStep)];
  });
}

type ToStep = (label: string, change: Partial<World>, next: Tab) => Step;

/** Stores the attempt id, then sends: the jar's token and the id that the tabs share. */
function start(world: World, toStep: ToStep): Step[] {
  if (world.jar === null) return [];
  const pending = world.pending ?? toFreshAttempt(world, world.jar);
  const flight = toFlight(world.jar, pending);
  const requests = withItem(world.requests, flight);
  return [toStep(`a tab sends ${flight}`, { pending, requests }, `waits ${flight}`)];
}

function receive(world: World, flight: Flight, scenario: Scenario, toStep: ToStep): Step[] {
  const { generation, attempt } = parseFlight(flight);
  const replies = world.replies.filter((reply) => reply.startsWith(`${flight} `));
  return replies.map((text) => {
    const reply = text.slice(flight.length + 1) as Reply;
    const label = `a tab receives the answer to ${flight}: ${reply}`;
    if (reply === "dead") return toStep(label, { jar: null, pending: null }, "idle");
    if (reply === "refused") return toStep(label, {}, "idle");
    const jar = generation + 1;
    if (scenario.forgetsAttempt === "after the token") return toStep(label, { jar }, `forgets ${attempt}`);
    return toStep(label, { jar, pending: world.pending === attempt ? null : world.pending }, "idle");
  });
}

/** The script of an answered tab forgets the id, unless another has taken its place, or the tab closes before. */
function forget(world: World, attempt: string, toStep: ToStep): Step[] {
  const pending = world.pending === attempt ? null : world.pending;
  return [
    toStep(`a tab forgets the attempt id ${attempt}`, { pending }, "idle"),
    toStep("a tab closes before it forgets its attempt id", {}, "idle"),
  ];
}

/** An id that nothing knows yet: "0a", "0b" … for generation 0. */
function toFreshAttempt({ requests, rotation }: World, generation: number): string {
  const isKnown = (id: string): boolean =>
    rotation?.attempt === id || requests.some((flight) => flight.endsWith(`/${id}`));
  let letter = 0;
  const toId = () => `${generation}${String.fromCharCode(97 + letter)}`;
  while (isKnown(toId())) letter++;
  return toId();
}

/** A browser drops the answer to a flight that nobody waits for any more. */
export function withoutStrayReplies(world: World): World {
  const isWaitedFor = (reply: string) => world.tabs.includes(`waits ${reply.slice(0, reply.indexOf(" "))}` as Tab);
  return world.replies.every(isWaitedFor) ? world : { ...world, replies: world.replies.filter(isWaitedFor) };
}

/**
 * The network's part of the bargain: a flight ends, one way or the other, before its token is two generations old.
 * Nothing tells a request that is delivered later than that from a thief's.
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
 * Once the session is dead, nothing that the browser or the thief does can change what the server does. Worlds that
 * differ in that alone are one, in which every token there has ever been is presented.
 */
export function withoutAfterlife(world: World): World {
  const { session } = world.snapshot;
  if (session?.revokedAt == null || world.login !== "logged in") return world;
  const tabs = world.tabs.map(() => "idle" as const);
  return { ...world, jar: session.generation, pending: null, tabs, requests: [], replies: [], loot: [] };
}
