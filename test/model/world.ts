import { firstTables, type Scenario } from "./scenario.ts";
import type { Ending, Server, Snapshot } from "./server.ts";

/** Who presents a token. */
export type Party = "browser" | "thief";

/** A refresh as it travels: the generation of the presented token and the attempt id, empty where there is none. */
export type Flight = `${number}/${string}`;

/** What a flight is answered with: the next token, a 401 for a dead session, or any other refusal. */
export type Reply = "token" | "dead" | "refused";

/** A tab: idle, waiting for the answer to a flight, or answered and about to forget this attempt id. */
export type Tab = "idle" | `waits ${Flight}` | `forgets ${string}`;

/** How the current generation was made: by whom, with which attempt id, how many seconds ago. */
interface RotationMemory {
  readonly party: Party;
  readonly attempt: string;
  readonly age: number;
}

/**
 * A state of everything: the server's disk, a browser and its tabs, the network between them, a thief, and what the
 * invariants must remember. Never changed, only replaced; lists are sorted sets.
 */
export interface World {
  readonly snapshot: Snapshot;
  /** The expiry of the refresh token of each generation. */
  readonly expiries: readonly number[];
  readonly login: "password checked" | "logged in" | "failed";
  /** The generation of the token in the browser's cookie jar. */
  readonly jar: number | null;
  /** The attempt id in the browser's storage, which the tabs share. */
  readonly pending: string | null;
  readonly tabs: readonly Tab[];
  /** What the network may deliver at any time, in any order, any number of times, or never. */
  readonly requests: readonly Flight[];
  /** The same of answers to flights that a tab still waits for; two tabs' equal flights share theirs. */
  readonly replies: readonly `${Flight} ${Reply}`[];
  /** The generations of the tokens that the thief holds; null before the theft. */
  readonly loot: readonly number[] | null;
  readonly thiefHasPresented: boolean;
  readonly rotation: RotationMemory | null;
  /** A logout or a disabling has been answered. */
  readonly isEnded: boolean;
}

/** What a step was, as far as the invariants ask. */
type StepEvent =
  | { readonly kind: "refresh"; readonly party: Party; readonly flight: Flight }
  | {
      readonly kind: "issue" | "logout" | "disable" | "enable" | "forgery" | "stranger" | "crash" | "client" | "clock";
    };

/** One step of the exploration, with the ending of the server's flow where one ran. */
export interface Step {
  readonly label: string;
  readonly event: StepEvent;
  readonly before: World;
  readonly after: World;
  readonly ending?: Ending;
}

/** A user whose password has just been checked, and nothing else. */
export function createFirstWorld(server: Server, scenario: Scenario): World {
  return {
    snapshot: server.intern({ committed: firstTables, durable: firstTables }),
    expiries: [],
    login: "password checked",
    jar: null,
    pending: null,
    tabs: Array.from({ length: scenario.tabs }, () => "idle" as const),
    requests: [],
    replies: [],
    loot: null,
    thiefHasPresented: false,
    rotation: null,
    isEnded: false,
  };
}

/** One text for worlds that can do the same: two tabs in each other's place are one world. */
export function toKey(world: World): string {
  const { snapshot, expiries, login, jar, pending, tabs, requests, replies, loot, rotation } = world;
  const flags = `${login[0]}${world.thiefHasPresented ? "t" : ""}${world.isEnded ? "e" : ""}`;
  const last = rotation === null ? "" : `${rotation.party[0]}${rotation.attempt}+${rotation.age}`;
  return `${snapshot.id}|${expiries}|${flags}|${jar}|${pending}|${[...tabs].sort()}|${requests}|${replies}|${loot}|${last}`;
}

export const toFlight = (generation: number, attempt: string): Flight => `${generation}/${attempt}`;

export function parseFlight(flight: Flight): { readonly generation: number; readonly attempt: string } {
  const slash = flight.indexOf("/");
  return { generation: Number(flight.slice(0, slash)), attempt: flight.slice(slash + 1) };
}

/** The sorted set with one more item. */
export function withItem<T extends string | number>(set: readonly T[], item: T): readonly T[] {
  return set.includes(item) ? set : [...set, item].sort();
}
