import { z } from "zod";
import { AuthError } from "../../core/errors.ts";
import type { Authentication } from "../../flows/tokens/authenticate.ts";
import { requireFormCsrfToken } from "../../http/cookies/browser-csrf.ts";
import { requireStatedOrigin } from "../../http/cookies/checks.ts";
import { readCookies, toTokenLimits, withCookies } from "../../http/cookies/cookies.ts";
import { prepareIssuedCookies } from "../../http/cookies/issued-cookies.ts";
import { readSessionCookies } from "../../http/cookies/refresh-cookie.ts";
import { authenticateRequest, readCredentials } from "../../http/credentials.ts";
import { defineEndpoint, type Endpoint, type RequestContext } from "../../http/endpoint.ts";
import { textField } from "../../http/request/fields.ts";
import { cookieMediaTypes } from "../../http/request/media-types.ts";
import { RequestError } from "../../http/request/request-error.ts";
import type { Run } from "./run.ts";

/** What the endpoints need. */
export interface DemoActions {
  /** Opens a run. */
  readonly open: (authentication: Authentication) => Promise<Run>;
  /** Returns a page's run, or `undefined`. */
  readonly find: (id: string) => Run | undefined;
  /** Loses the response to the next refresh of the run's session. */
  readonly loseResponse: (run: Run) => void;
  /** Revokes the access token alone. */
  readonly expireAccess: (authentication: Authentication) => Promise<void>;
  readonly revokeElsewhere: (run: Run) => Promise<void>;
  readonly disable: (run: Run) => Promise<void>;
}

const schema = z.object({ run: textField({ keepSpace: false, maxLength: 64 }) });
type Body = z.infer<typeof schema>;

const common = {
  errorStyle: "resource",
  security: ["cookie"],
  responses: { 204: { description: "Done." } },
} as const satisfies Partial<Endpoint>;

const done = () => new Response(null, { status: 204 });

/** Creates the endpoints of the demonstration. They are for pages of this server only. */
export function createDemoEndpoints(actions: DemoActions): readonly Endpoint[] {
  /** Defines a button: a request of the run's own session. */
  function defineButton(
    name: string,
    press: (run: Run, authentication: Authentication, context: RequestContext<Body>) => unknown,
    path: Endpoint["path"] = () => `/demo/${name}`,
  ): Endpoint {
    return defineEndpoint<Body>({
      ...common,
      method: "POST",
      path,
      operationId: `demo_${name}`,
      summary: "Press a button of the demonstration.",
      body: { accepts: cookieMediaTypes, schema },
      async handle(context) {
        const authentication = await authenticatePage(context);
        const run = requireRun(await context.readBody());
        if (run.session.id !== authentication.sessionId) throw noSuchRun();
        await press(run, authentication, context);
        return done();
      },
    });
  }

  function requireRun({ run: id }: Body): Run {
    const run = actions.find(id);
    if (run === undefined) throw noSuchRun();
    return run;
  }

  return [
    defineEndpoint({
      ...common,
      method: "GET",
      path: () => "/demo/events",
      operationId: "demo_events",
      summary: "Follow the demonstration, by server-sent events.",
      handle: async (context) => (await actions.open(await authenticatePage(context))).response,
    }),
    defineButton("lose-response", actions.loseResponse),
    // Browsers send the refresh cookie only to paths below authPath.
    defineButton("steal", steal, ({ authPath }) => `${authPath}/demo/steal`),
    defineButton("use-copy", (run) => run.useCopy()),
    defineButton("expire-access", (_, authentication) => actions.expireAccess(authentication)),
    defineButton("revoke", actions.revokeElsewhere),
    defineButton("disable", actions.disable),
    defineEndpoint<Body>({
      ...common,
      method: "POST",
      path: () => "/demo/start-over",
      operationId: "demo_start_over",
      summary: "Log in again, after the demonstration itself has revoked the session.",
      body: { accepts: cookieMediaTypes, schema },
      async handle({ request, deps, client, requireMediaType, readBody }) {
        requireStatedOrigin(deps, request);
        await requireMediaType();
        requireFormCsrfToken(deps, { request, cookies: readCookies(request.headers, deps.settings), field: undefined });
        const run = requireRun(await readBody());
        const toCookies = prepareIssuedCookies(deps);
        const giveBack = run.startOver();
        if (giveBack === null) throw noSuchRun();
        const options = { client, tokenLimits: toTokenLimits(deps.settings) };
        const issued = await deps.flows.issue(run.session.userId, options).catch((error: unknown) => {
          giveBack();
          throw error;
        });
        return withCookies(done(), toCookies(issued));
      },
    }),
  ];
}

/** Authenticates a page of this server by its cookies. @throws AuthError `csrf_failed`, or the codes of `authenticateRequest`. */
async function authenticatePage({
  request,
  deps,
  requireMediaType,
}: Omit<RequestContext, "readBody">): Promise<Authentication> {
  const credentials = readCredentials(request.headers, deps);
  if (credentials.via !== "cookie") throw new AuthError("not_authenticated", "the demonstration is for browsers");
  requireStatedOrigin(deps, request);
  return authenticateRequest(deps, request, { credentials, requireMediaType });
}

function steal(run: Run, _: Authentication, { request, deps }: RequestContext<Body>): void {
  const { refresh } = readSessionCookies(deps, request.headers);
  if (refresh === undefined) throw new AuthError("not_authenticated", "the request has no refresh cookie");
  const { sessionId, generation } = deps.tokens.verifyRefresh(refresh);
  if (sessionId !== run.session.id) throw noSuchRun();
  run.steal(refresh, generation);
}

const noSuchRun = () => new RequestError(404, { detail: "Not found.", code: "not_found" });
