import type { Health } from "../../auth-results.ts";
import { AuthError } from "../../core/errors.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { answerForwardAuth, noIdentity } from "../../http/forward-auth.ts";
import { createBearerReader } from "../../http/request/bearer.ts";
import { createProxyCheck } from "../../http/request/client-ip.ts";
import { toErrorResponse } from "../../http/response/errors.ts";
import { withHeaders, withStandardHeaders } from "../../http/response/json.ts";
import type { Verifier } from "../../verifier/verifier.ts";
import type { Handler } from "../handlers/app.ts";
import { toStandardJson } from "../handlers/standard-json.ts";
import type { FrameFile } from "./frame-file.ts";

type CheckSettings = Pick<
  Settings,
  "authPath" | "checkCsrf" | "authHeaderName" | "authHeaderTypes" | "trustedProxies" | "forwardedHeader"
>;

/** Creates the handler of `{authPath}/check`, which answers proxies as the issuer's does. */
export function createCheck(
  settings: CheckSettings,
  { authenticateAsync }: Pick<Verifier, "authenticateAsync">,
): Handler {
  const path = `${settings.authPath}/check`;
  const isTrustedProxy = createProxyCheck(settings);
  const readBearerToken = createBearerReader(settings);
  return {
    handles: (pathname) => pathname === path || pathname.startsWith(`${path}/`),
    async fetch(request, connection = {}) {
      const deps = { settings, readBearerToken, authenticate: authenticateAsync };
      const isFromTrustedProxy = isTrustedProxy(connection);
      const response = await answerForwardAuth(deps, request, { path, isFromTrustedProxy }).catch((error: unknown) => {
        if (!(error instanceof AuthError)) throw error;
        return withHeaders(toErrorResponse(error, "resource", settings), noIdentity);
      });
      return withStandardHeaders(response);
    },
  };
}

/** Creates the handler that serves the feed and the keys onward. */
export function createRelayHandler(
  { authPath }: Pick<Settings, "authPath">,
  { feed }: Pick<Verifier, "feed">,
): Handler {
  const paths = new Set([`${authPath}/revocations`, "/.well-known/jwks.json"]);
  return {
    handles: (pathname) => paths.has(pathname.replace(/\/$/, "")),
    fetch: (request) => feed(request),
  };
}

/** Answers every path that no other handler has. */
export const notFound: Pick<Handler, "fetch"> = {
  fetch: async () => toStandardJson(404, { detail: "Not found.", code: "not_found" }),
};

/** Returns whether the sidecar can do its work. */
export function toSidecarHealth({ status }: Pick<Verifier, "status">, file: FrameFile | null): Health {
  const { ready, staleness, keys, lastError } = status();
  const failure = file?.failure ?? null;
  if (ready && failure === null) return { ok: true };
  if (ready) return { ok: false, reason: `the file can't be written (${failure})` };
  const why = lastError === null ? "" : ` (${lastError})`;
  if (keys.length === 0) return { ok: false, reason: `the issuer's keys have not been read${why}` };
  if (staleness === Number.POSITIVE_INFINITY) return { ok: false, reason: `the revocations have not been read${why}` };
  return { ok: false, reason: `the revocations are ${staleness.toFixed(1)} s old${why}` };
}
