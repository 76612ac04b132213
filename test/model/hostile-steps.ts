import { createHash } from "node:crypto";
import { defaultSettings } from "../../src/core/settings/settings.ts";
import { createHmacKey } from "../../src/crypto/keys/hmac-key.ts";
import { createKeySet } from "../../src/crypto/keys/key-set.ts";
import { createTokens } from "../../src/crypto/tokens/tokens.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import { logoutByRefreshToken } from "../../src/flows/sessions/logout.ts";
import type { Scenario } from "./scenario.ts";
import type { Flow, Server, Snapshot } from "./server.ts";
import { toOutcome, toRefreshSteps } from "./server-steps.ts";
import { type Step, toFlight, type World } from "./world.ts";

/** Returns what the thief, the clock and a crash can do in this state. */
export async function toHostileSteps(world: World, server: Server, scenario: Scenario): Promise<Step[]> {
  const steps = [...toClockSteps(world, server, scenario), ...toCrashSteps(world, server)];
  if (world.login !== "logged in") return steps;
  for (const generation of world.loot ?? []) {
    for (const key of ["", "thief"]) {
      steps.push(...(await toRefreshSteps(world, server, scenario, "thief", toFlight(generation, key))));
    }
  }
  if (world.jar !== null && world.loot === null) steps.push(toTheft(world, world.jar));
  return steps;
}

/** Returns the presentations of tokens that must change nothing. Their results depend on the world's snapshot only. */
export async function toHarmlessSteps(world: World, server: Server, scenario: Scenario): Promise<Step[]> {
  if (world.login !== "logged in") return [];
  const steps: Step[] = [];
  for (const forgery of forgeries) steps.push(...(await present(world, server, "forgery", forgery)));
  for (const token of unknownTokens) steps.push(...(await present(world, server, "unknown", token)));
  // Time makes no difference to them.
  const contradictions = scenario.isTimeless ? toContradictions(world.snapshot) : [];
  for (const token of contradictions) steps.push(...(await present(world, server, "contradiction", token)));
  return steps;
}

/** The thief copies the jar once. The idempotency key is stored elsewhere. */
function toTheft(world: World, generation: number): Step {
  const after = { ...world, loot: [generation] };
  return { label: `the thief steals token ${generation}`, event: { kind: "client" }, before: world, after };
}

function toClockSteps(world: World, server: Server, scenario: Scenario): Step[] {
  const { isTimeless, reuseInterval, clockStepsBack } = scenario;
  const { session, disk } = world.snapshot;
  if (session === undefined || session.revokedAt !== null) return [];
  const { now } = disk.committed;
  const ahead = isTimeless || now <= session.absoluteExpiresAt ? [1, 2] : [];
  const back = clockStepsBack && now > session.createdAt ? [-1] : [];
  return [...ahead, ...back].map((seconds) => {
    const { rotation } = world;
    const aged = (rotation?.age ?? 0) + seconds;
    const age = isTimeless ? Math.min(aged, reuseInterval + 1) : aged;
    const after = {
      ...world,
      snapshot: server.wait(world.snapshot, seconds),
      rotation: rotation === null ? null : { ...rotation, age },
    };
    const label = seconds < 0 ? `the clock goes back ${-seconds} s` : `${seconds} s pass`;
    return { label, event: { kind: "clock" }, before: world, after };
  });
}

/** A crash between two requests loses what was not durable. Crashes within a flow are among the flow's endings. */
function toCrashSteps(world: World, server: Server): Step[] {
  const { committed, durable } = world.snapshot.disk;
  if (committed === durable) return [];
  const after = { ...world, snapshot: server.intern({ committed: durable, durable }) };
  return [{ label: "the server crashes", event: { kind: "crash" }, before: world, after }];
}

interface Presentation {
  readonly name: string;
  readonly toToken: (server: Server, snapshot: Snapshot) => string;
}

async function present(
  world: World,
  server: Server,
  kind: "forgery" | "unknown" | "contradiction",
  { name, toToken }: Presentation,
): Promise<Step[]> {
  let endings = await server.run(world.snapshot, name, (deps) => refresh(deps, toToken(server, world.snapshot)));
  if (kind !== "unknown") {
    const flow: Flow = (deps) => logoutByRefreshToken(deps, toToken(server, world.snapshot)).then(() => null);
    endings = [...endings, ...(await server.run(world.snapshot, `logout by ${name}`, flow))];
  }
  return endings.map((ending) => {
    const after = { ...world, snapshot: ending.snapshot };
    return { label: `${name} is presented: ${toOutcome(ending)}`, event: { kind }, before: world, after, ending };
  });
}

/** Tokens that the server never signed, or not as refresh tokens. */
const forgeries: readonly Presentation[] = [
  { name: "garbage", toToken: () => "a.b.c" },
  { name: "a token of another key", toToken: (_, snapshot) => foreignTokens.mintRefresh(toContents(snapshot, 0)) },
  {
    name: "a token with another's signature",
    toToken: ({ tokens }, snapshot) => {
      const [header, payload] = tokens.mintRefresh(toContents(snapshot, 0)).split(".");
      const [, , signature] = tokens.mintRefresh(toContents(snapshot, 1)).split(".");
      return `${header}.${payload}.${signature}`;
    },
  },
  {
    name: "an access token",
    toToken: ({ tokens }, snapshot) => tokens.mintAccess({ ...toContents(snapshot, 0), globalEpoch: 0, claims: {} }),
  },
];

/** Genuine tokens that the row does not know, as after a backup was restored (rule 3e). */
const unknownTokens: readonly Presentation[] = [-1, 0, 1].map((distance) => ({
  name: `an unknown token of generation n${distance < 0 ? distance : `+${distance}`}`,
  toToken: ({ tokens }, snapshot) => tokens.mintRefresh(toContents(snapshot, distance)),
}));

/** Genuine tokens of the last three generations that name another user, and one with an epoch that the session has not reached. */
function toContradictions({ session }: Snapshot): readonly Presentation[] {
  if (session === undefined) return [];
  const { generation: current, userEpoch } = session;
  const generations = [current, current - 1, current - 2].filter((generation) => generation >= 0);
  return [
    ...generations.map((generation) => toContradiction("another user", generation, { userId: "2" })),
    toContradiction("a later epoch", current, { userEpoch: userEpoch + 1 }),
  ];
}

function toContradiction(name: string, generation: number, changes: object): Presentation {
  return {
    name: `token ${generation} of ${name}`,
    toToken: (server, snapshot) => {
      const secret = server.secretOf(generation);
      return server.tokens.mintRefresh({ ...toContents(snapshot, 0), generation, secret, ...changes });
    },
  };
}

const clock = { now: () => 0, wall: () => 0, monotonic: () => 0 };
const foreignKey = createHmacKey({ algorithm: "HS256", secret: "a key that the attacker has made up alone" });
const foreignKeys = createKeySet({ access: foreignKey });
const foreignTokens = createTokens({ keys: () => foreignKeys, clock, settings: defaultSettings });

function toContents(snapshot: Snapshot, distance: number) {
  const { session } = snapshot;
  if (session === undefined) throw new TypeError("no session yet");
  return {
    userId: session.userId,
    sessionId: session.id,
    userEpoch: session.userEpoch,
    issuedAt: session.createdAt,
    expiresAt: session.absoluteExpiresAt,
    generation: Math.max(0, session.generation + distance),
    secret: createHash("sha256").update("a secret that this session never had").digest(),
  };
}
