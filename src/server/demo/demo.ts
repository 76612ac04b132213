import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import type { AnyAuth, Auth } from "../../auth.ts";
import { AuthError } from "../../core/errors.ts";
import type { Authentication } from "../../flows/tokens/authenticate.ts";
import { findCookieSession } from "../../http/cookies/cookie-session.ts";
import { isDevelopmentRequest } from "../../http/cookies/development-cookies.ts";
import { readSessionCookies } from "../../http/cookies/refresh-cookie.ts";
import type { ConnectionInfo } from "../../http/request/client-ip.ts";
import { createDepsFinder, createHttpHandler } from "../../http/router.ts";
import { getInternals } from "../../internals.ts";
import type { Handler } from "../handlers/app.ts";
import { toStandardJson } from "../handlers/standard-json.ts";
import { createAttacker, laneHeader } from "./attacker.ts";
import { createDemoEndpoints } from "./endpoints.ts";
import type { Lane } from "./lines.ts";
import { now } from "./lines.ts";
import { type CreateNode, createOtherNode } from "./other-node.ts";
import { createRun, type Run } from "./run.ts";
import type { RequestMark } from "./run-state.ts";

/** The demonstration of `tokenpair serve --demo`. Browsers on other machines get 404. */
export interface Demonstration extends Handler {
  /** Answers a request by `answer`, and notes for the timeline who sent it. It may lose the response to a refresh. */
  around(
    request: Request,
    connection: ConnectionInfo | undefined,
    options: { readonly socket: Pick<Socket, "destroy"> | undefined; readonly answer: Auth["fetch"] },
  ): Promise<Response>;
  /** Ends the streams. */
  drain(): void;
  /** Enables users that are disabled, and closes the other node. */
  close(): Promise<void>;
}

/** The options of `createDemonstration`. */
export interface DemonstrationOptions {
  readonly auth: AnyAuth;
  readonly createNode: CreateNode;
  /** Returns this server's URL. */
  readonly findUrl: () => string;
}

/** How many pages may watch at once. */
const maxRuns = 20;

/** Who the audit log says did it. */
const client = { actor: "demonstration" };

const notFound = () => toStandardJson(404, { detail: "Not found.", code: "not_found" });

/** Creates the demonstration. It has no other node until a page is opened. */
export function createDemonstration({ auth, createNode, findUrl }: DemonstrationOptions): Demonstration {
  const { deps, httpDeps, signals, onError } = getInternals(auth);
  const { settings } = deps;
  const otherNode = createOtherNode(createNode);
  const runs = new Map<string, Run>();
  /** The sessions whose next refresh loses its response. */
  const losing = new Set<string>();
  const marks = new AsyncLocalStorage<RequestMark>();
  const findDeps = createDepsFinder(httpDeps, true);
  const refreshPath = `${settings.authPath}/refresh`;

  async function open(authentication: Authentication): Promise<Run> {
    if (runs.size >= maxRuns) throw new AuthError("throttled", "too many pages", { retryAfter: 5 });
    const { sessionId, userId } = authentication;
    const other = await otherNode.get();
    const found = await deps.store.sessions.find(sessionId);
    if (found === null) throw new AuthError("token_revoked", "the session is over");
    const id = randomUUID();
    // Another token of the session, so that the signals outlast a revocation of this token alone.
    const { user: _, ...claims } = { ...authentication, tokenId: id };
    const gone = new AbortController();
    const use = { until: "session", signal: gone.signal } as const;
    const run = createRun({
      id,
      session: { id: sessionId, userId, generation: found.session.generation },
      reuseInterval: settings.reuseInterval,
      refreshTokenLifetime: settings.refreshTokenLifetime,
      signals: { tab: signals.signal(claims, use), node: other.signal(claims, use) },
      attacker: createAttacker(settings, findUrl),
      askOtherNode: (request) => other.fetch(request),
      onEnd: () => {
        runs.delete(id);
        losing.delete(sessionId);
        gone.abort();
      },
    });
    runs.set(id, run);
    return run;
  }

  const stopListening = auth.on((event) => {
    if (event.type !== "refresh") return;
    for (const run of runs.values()) if (run.session.id === event.sessionId) run.refreshed(event, marks.getStore());
  });

  const endpoints = createDemoEndpoints({
    open,
    find: (id) => runs.get(id),
    loseResponse: (run) => void losing.add(run.session.id),
    async expireAccess({ tokenId }) {
      await auth.revokeToken(tokenId, { client });
    },
    async revokeElsewhere(run) {
      run.expectRevocation();
      run.add({ lane: "node", tone: "odd", title: "Revokes your session", detail: "as staff or another device would" });
      await (await otherNode.get()).sessions.revoke(run.session.id, { client });
    },
    async disable(run) {
      run.expectRevocation();
      run.add({ lane: "node", tone: "odd", title: "Disables you", detail: "as staff would. Undone in 10 s" });
      await otherNode.disable(run.session.userId);
    },
  });
  const api = createHttpHandler(httpDeps, {
    endpoints,
    schemaPath: "/demo/schema",
    developmentCookies: true,
    ...(onError === undefined ? {} : { onError }),
  });

  /** Returns the session whose refresh this request is, if its response must be lost. */
  function findLost(request: Request, connection: ConnectionInfo): string | null {
    const path = new URL(request.url).pathname.replace(/\/$/, "");
    if (losing.size === 0 || request.method !== "POST" || path !== refreshPath) return null;
    const own = findDeps(request, connection);
    const sessionId = findCookieSession(own, readSessionCookies(own, request.headers))?.sessionId;
    return sessionId !== undefined && losing.delete(sessionId) ? sessionId : null;
  }

  return Object.freeze<Demonstration>({
    handles: api.handles,
    fetch: async (request, connection = {}) =>
      isDevelopmentRequest(request, connection.ip) ? api.fetch(request, connection) : notFound(),
    async around(request, connection = {}, { socket, answer }) {
      if (runs.size === 0) return answer(request, connection);
      const isLost = socket !== undefined && findLost(request, connection) !== null;
      const mark = { lane: toLane(request.headers.get(laneHeader)), at: now(), isLost };
      const response = await marks.run(mark, () => answer(request, connection));
      if (isLost) socket.destroy();
      return response;
    },
    drain() {
      for (const run of [...runs.values()]) run.close();
    },
    async close() {
      stopListening();
      await otherNode.close();
    },
  });
}

function toLane(header: string | null): Lane {
  return header === "second" || header === "attacker" ? header : "tab";
}
