import { refresh } from "../../src/flows/refresh/refresh.ts";
import { startSession } from "../../src/flows/sessions/issue.ts";
import { logout, logoutByRefreshToken } from "../../src/flows/sessions/logout.ts";
import { disableUser, enableUser } from "../../src/flows/users/users.ts";
import { withoutOldFlights, withoutStrayReplies } from "./client-steps.ts";
import { toText } from "./model-database.ts";
import { isLive } from "./model-store.ts";
import { otherId, type Scenario, toBystander, user } from "./scenario.ts";
import type { Answer, Ending, Flow, Server } from "./server.ts";
import {
  type Flight,
  type Party,
  parseFlight,
  type Reply,
  type Step,
  toFlight,
  toTokenClaims,
  type World,
  withItem,
} from "./world.ts";

/** Returns what the server can do with the requests of the browser and the operator, with every possible ending. */
export async function toServerSteps(world: World, server: Server, scenario: Scenario): Promise<Step[]> {
  const steps = await toUserSteps(world, server);
  if (world.login === "password checked") steps.push(...(await toIssueSteps(world, server)));
  if (world.login !== "logged in") return steps;
  for (const flight of toRequests(world)) {
    steps.push(...(await toRefreshSteps(world, server, scenario, "browser", flight)));
  }
  steps.push(...(await toLogoutSteps(world, server)));
  if (scenario.logsOutOthers) steps.push(...(await toOthersSteps(world, server)));
  return steps;
}

/** Returns what the network may deliver: to a revoked session, every token with every kind of idempotency key. */
function toRequests({ requests, snapshot, expiries, rotation }: World): readonly Flight[] {
  if (snapshot.session?.revokedAt == null) return requests;
  const keys = rotation === null || rotation.key === "" ? ["", "new"] : ["", "new", rotation.key];
  return expiries.flatMap((_, generation) => keys.map((key) => toFlight(generation, key)));
}

/** Returns the steps in which `party` presents a refresh token. */
export async function toRefreshSteps(
  world: World,
  server: Server,
  scenario: Scenario,
  party: Party,
  flight: Flight,
): Promise<Step[]> {
  const { generation, key } = parseFlight(flight);
  const current = world.snapshot.session?.generation;
  if (generation === current && current === scenario.generations) return [];
  const claims = toTokenClaims(world, generation);
  const flow: Flow = (deps) => {
    const token = server.tokenOf(world.snapshot, generation, claims);
    return refresh(deps, token, key === "" ? {} : { idempotencyKey: key });
  };
  const clocks = toClocks(world, scenario);
  const endings = await server.run(world.snapshot, `refresh ${flight} ${toText(claims)}`, flow, clocks);
  return endings.map((ending) => ({
    label: `the ${party} presents ${flight}: ${toOutcome(ending)}`,
    event: { kind: "refresh", party, flight },
    before: world,
    after: toRefreshedWorld(world, scenario, party, flight, ending),
    ending,
  }));
}

/**
 * Returns how the clock may step between the UPDATE and the locked read: back at once, or after it has run ahead. In the last way
 * it does so twice, as a refresh tries twice.
 */
function toClocks({ snapshot }: World, { clockStepsBack }: Scenario): readonly (readonly number[])[] {
  if (!clockStepsBack) return [];
  const { session, disk } = snapshot;
  const mayGoBack = session !== undefined && disk.committed.now > session.createdAt;
  return [[1, -1], ...(mayGoBack ? [[0, -1]] : []), [1, -1, 1, -1]];
}

function toRefreshedWorld(before: World, scenario: Scenario, party: Party, flight: Flight, ending: Ending): World {
  const { generation, key } = parseFlight(flight);
  const seconds = ending.tables.now - before.snapshot.disk.committed.now;
  const world = {
    ...before,
    thiefHasPresented: before.thiefHasPresented || party === "thief",
    rotation: before.rotation && { ...before.rotation, age: before.rotation.age + seconds },
  };
  const after = toMovedWorld(world, scenario, ending, { party, key, age: 0 });
  const { answer } = ending;
  if (answer === null) return after;
  if (party === "thief") {
    return answer.kind === "pair" ? { ...after, loot: withItem(after.loot ?? [], generation + 1) } : after;
  }
  return withoutStrayReplies({ ...after, replies: withItem(after.replies, `${flight} ${toReply(answer)}`) });
}

/** Returns the world with the disk that a refresh left, and with the rotation that it made, if any. */
function toMovedWorld(world: World, scenario: Scenario, ending: Ending, rotation: World["rotation"]): World {
  const { snapshot } = ending;
  const { session } = snapshot;
  const hasRotated = session !== undefined && session.generation > world.expiries.length - 1;
  if (!hasRotated) return { ...world, snapshot };
  const expiries = [...world.expiries, session.idleExpiresAt];
  const epochs = [...world.epochs, session.userEpoch];
  const moved = { ...world, snapshot, rotation, expiries, epochs };
  return scenario.flightsEnd && !world.thiefHasPresented ? withoutOldFlights(moved) : moved;
}

const toReply = (answer: Answer): Reply => {
  if (answer.kind === "pair") return "token";
  return answer.kind === "refused" && answer.sessionEnded ? "session ended" : "refused";
};

async function toIssueSteps(world: World, server: Server): Promise<Step[]> {
  const endings = await server.run(world.snapshot, "issue", async (deps) => {
    const { pair } = await startSession(deps, { user, epoch: user.epoch }, {});
    return { outcome: "issued", pair };
  });
  return endings.map((ending) => {
    const { session } = ending.snapshot;
    const isGiven = ending.answer?.kind === "pair" && session !== undefined;
    const change: Partial<World> = isGiven
      ? { login: "logged in", jar: 0, expiries: [session.idleExpiresAt], epochs: [session.userEpoch] }
      : { login: "failed" };
    const after = { ...world, ...change, snapshot: ending.snapshot };
    return { label: `the login ends: ${toOutcome(ending)}`, event: { kind: "issue" }, before: world, after, ending };
  });
}

/** Returns the logouts by the session's access token, by the jar's refresh token, and by the oldest refresh token. */
async function toLogoutSteps(world: World, server: Server): Promise<Step[]> {
  const { session } = world.snapshot;
  if (world.jar === null || session === undefined) return [];
  const steps = await toPlainSteps(world, server, "logout", "the user logs out", (deps) =>
    logout(deps, { sessionId: session.id, userId: session.userId }).then(() => null),
  );
  for (const generation of new Set([0, world.jar])) {
    const claims = toTokenClaims(world, generation);
    const flow: Flow = (deps) =>
      logoutByRefreshToken(deps, server.tokenOf(world.snapshot, generation, claims)).then(() => null);
    const label = `the user logs out by token ${generation}`;
    steps.push(...(await toPlainSteps(world, server, "logout", label, flow, toText(claims))));
  }
  return steps;
}

/**
 * Returns the logouts of all other sessions: by this device, by its first refresh token, and by the other device. Whether the
 * session is still live is for the store to check.
 */
async function toOthersSteps(world: World, server: Server): Promise<Step[]> {
  const { session, disk } = world.snapshot;
  const { users } = disk.committed;
  if (session === undefined || (users[user.id]?.epoch ?? 0) > user.epoch + 1) return [];
  const toSteps = (kind: "others" | "others elsewhere", label: string, flow: Flow, input = "") =>
    toPlainSteps(world, server, kind, `${label} logs out the others`, flow, input);
  const byId = (sessionId: string): Flow => {
    return (deps) => logout(deps, { sessionId, userId: user.id }, { scope: "others" }).then(() => null);
  };
  const claims = toTokenClaims(world, 0);
  const byToken: Flow = (deps) =>
    logoutByRefreshToken(deps, server.tokenOf(world.snapshot, 0, claims), { scope: "others" }).then(() => null);
  return [
    ...(await toSteps("others", "the user", byId(session.id))),
    ...(await toSteps("others", "token 0", byToken, toText(claims))),
    ...(await toSteps("others elsewhere", "the other device", byId(otherId))),
  ];
}

async function toUserSteps(world: World, server: Server): Promise<Step[]> {
  const row = world.snapshot.disk.committed.users[user.id];
  if (row?.isActive === false) {
    return toPlainSteps(world, server, "enable", "the user is enabled", (deps) =>
      enableUser(deps, user.id).then(() => null),
    );
  }
  if (row?.epoch !== user.epoch) return [];
  return toPlainSteps(world, server, "disable", "the user is disabled", (deps) =>
    disableUser(deps, user.id).then(() => null),
  );
}

type PlainKind = "logout" | "others" | "others elsewhere" | "disable" | "enable";

/** Returns whether the explored session is revoked by an answered flow: another device's must be live itself. */
function revokes({ snapshot }: World, kind: PlainKind): boolean {
  if (kind !== "others elsewhere") return kind === "logout" || kind === "disable";
  const { committed } = snapshot.disk;
  const bystander = toBystander(committed);
  return bystander !== undefined && isLive(committed, bystander);
}

/** Returns the steps of a flow that gives no tokens. If it revokes and was answered, the world remembers it. */
async function toPlainSteps(
  world: World,
  server: Server,
  kind: PlainKind,
  label: string,
  flow: Flow,
  input: unknown = "",
): Promise<Step[]> {
  const endings = await server.run(world.snapshot, `${label} ${input}`, flow);
  return endings.map((ending) => {
    const isRevoked = world.isRevoked || (ending.answer?.kind === "done" && revokes(world, kind));
    const after = { ...world, snapshot: ending.snapshot, isRevoked };
    return { label: `${label}: ${toOutcome(ending)}`, event: { kind }, before: world, after, ending };
  });
}

/** Returns how a flow ended, in a word. */
export function toOutcome({ answer }: Ending): string {
  if (answer === null) return "a crash before the answer";
  if (answer.kind === "pair") return answer.outcome;
  return answer.kind === "done" ? "done" : answer.code;
}
