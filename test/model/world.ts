import { firstTables, type Scenario } from "./scenario.ts";
import type { Ending, Server, Snapshot } from "./server.ts";

/** Who presents a token. */
export type Party = "browser" | "thief";

/** A refresh on its way: the generation of the presented token and the idempotency key, empty if there is none. */
export type Flight = `${number}/${string}`;

/** The answer to a flight: the next token, a refusal that proves the session to be over, or any other refusal. */
export type Reply = "token" | "session ended" | "refused";

/** A tab: idle, waiting for the answer to a flight, or answered and about to delete this idempotency key. */
export type Tab = "idle" | `waits ${Flight}` | `deletes ${string}`;

/** What a refresh token says besides its session, generation and secret. */
export interface TokenClaims {
  readonly expiresAt: number;
  readonly userEpoch: number;
}

/** How the current generation was made. */
interface RotationMemory {
  readonly party: Party;
  /** The idempotency key. */
  readonly key: string;
  /** Seconds. */
  readonly age: number;
}

/**
 * The state of everything: the server's disk, a browser and its tabs, the network between them, a thief, and what the
 * invariants must remember. Never changed, only replaced. Lists are sorted sets.
 */
export interface World {
  readonly snapshot: Snapshot;
  /** The expiry of the refresh token of each generation. */
  readonly expiries: readonly number[];
  /** The user's epoch in the refresh token of each generation. */
  readonly epochs: readonly number[];
  readonly login: "password checked" | "logged in" | "failed";
  /** The generation of the token in the browser's cookie jar. */
  readonly jar: number | null;
  /** The idempotency key in the browser's storage, which the tabs share. */
  readonly pending: string | null;
  readonly tabs: readonly Tab[];
  /** What the network may deliver at any time, in any order, any number of times, or never. */
  readonly requests: readonly Flight[];
  /** Likewise the answers to flights that a tab still waits for. Equal flights of two tabs share their answers. */
  readonly replies: readonly `${Flight} ${Reply}`[];
  /** The generations of the tokens that the thief holds; null before the theft. */
  readonly loot: readonly number[] | null;
  readonly thiefHasPresented: boolean;
  readonly rotation: RotationMemory | null;
  /** Whether a logout or a disable has been answered. */
  readonly isRevoked: boolean;
}

/** The kind of a step. */
type StepEvent =
  | { readonly kind: "refresh"; readonly party: Party; readonly flight: Flight }
  | {
      readonly kind:
        | "issue"
        | "logout"
        | "others"
        | "others elsewhere"
        | "disable"
        | "enable"
        | "forgery"
        | "unknown"
        | "contradiction"
        | "crash"
        | "client"
        | "clock";
    };

/** One step of the exploration, with the ending of the server's flow if one ran. */
export interface Step {
  readonly label: string;
  readonly event: StepEvent;
  readonly before: World;
  readonly after: World;
  readonly ending?: Ending;
}

/** Creates the world in which a user's password has just been verified and nothing else has happened. */
export function createFirstWorld(server: Server, scenario: Scenario): World {
  return {
    snapshot: server.intern({ committed: firstTables, durable: firstTables }),
    expiries: [],
    epochs: [],
    login: "password checked",
    jar: null,
    pending: null,
    tabs: Array.from({ length: scenario.tabs }, () => "idle" as const),
    requests: [],
    replies: [],
    loot: null,
    thiefHasPresented: false,
    rotation: null,
    isRevoked: false,
  };
}

/** Returns the same text for worlds with the same future. Two tabs in exchanged order are one world. */
export function toKey(world: World): string {
  const { snapshot, expiries, epochs, login, jar, pending, tabs, requests, replies, loot, rotation } = world;
  const flags = `${login[0]}${world.thiefHasPresented ? "t" : ""}${world.isRevoked ? "e" : ""}`;
  const last = rotation === null ? "" : `${rotation.party[0]}${rotation.key}+${rotation.age}`;
  return `${snapshot.id}|${expiries}|${epochs}|${flags}|${jar}|${pending}|${[...tabs].sort()}|${requests}|${replies}|${loot}|${last}`;
}

/** Returns what the refresh token of a generation says about its expiry and the user's epoch. */
export function toTokenClaims({ expiries, epochs }: World, generation: number): TokenClaims {
  return { expiresAt: expiries[generation] ?? 0, userEpoch: epochs[generation] ?? 0 };
}

/** Returns the flight of a token with an idempotency key. */
export const toFlight = (generation: number, key: string): Flight => `${generation}/${key}`;

/** Returns the parts of a flight. */
export function parseFlight(flight: Flight): { readonly generation: number; readonly key: string } {
  const slash = flight.indexOf("/");
  return { generation: Number(flight.slice(0, slash)), key: flight.slice(slash + 1) };
}

/** Returns the sorted set with one more item. */
export function withItem<T extends string | number>(set: readonly T[], item: T): readonly T[] {
  return set.includes(item) ? set : [...set, item].sort();
}
