import { z } from "zod";
import { parseIssuerUrl } from "../../core/settings/issuer-url.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import { defineEndpoint } from "../endpoint.ts";
import { cachedDocument, entityTag, errorSchema, ifNoneMatch } from "../openapi/responses.ts";
import { RequestError } from "../request/request-error.ts";
import { toCacheableDocument, toCacheableResponse } from "../response/cacheable.ts";

const path = "/.well-known/oauth-authorization-server";

/**
 * `GET /.well-known/oauth-authorization-server` (RFC 8414 §3): returns what services need to know, including the paths of
 * the other endpoints.
 */
export const metadata = defineEndpoint({
  method: "GET",
  path: () => path,
  // §3.1: of an issuer with a path, the path comes after.
  alias: ({ issuer }) => toAlias(parseIssuerUrl(issuer)),
  operationId: "getServerMetadata",
  summary: "Get the metadata of this authorization server.",
  errorStyle: "resource",
  worksWithoutKeys: true,
  headers: [ifNoneMatch],
  responses: {
    200: {
      description: "Where the endpoints for services are.",
      headers: [entityTag],
      schema: z.object({
        issuer: z.string(),
        jwks_uri: z.string(),
        introspection_endpoint: z.string(),
        introspection_endpoint_auth_methods_supported: z.array(z.string()),
        revocation_endpoint: z.string(),
        revocation_endpoint_auth_methods_supported: z.array(z.string()),
        response_types_supported: z.array(z.string()),
        grant_types_supported: z.array(z.string()),
        tokenpair_check_endpoint: z.string(),
        tokenpair_revocations_endpoint: z.string(),
      }),
    },
    304: cachedDocument,
    404: { description: "The setting `issuer` is not an https URL.", schema: errorSchema },
  },
  async handle({ request, deps: { settings } }) {
    const issuerUrl = parseIssuerUrl(settings.issuer);
    if (issuerUrl === null) throw new RequestError(404, { detail: "Not found.", code: "not_found" });
    return toCacheableResponse(request, toCacheableDocument(JSON.stringify(toMetadata(issuerUrl, settings))));
  },
});

function toAlias(issuerUrl: URL | null): string | undefined {
  const suffix = issuerUrl?.pathname.replace(/\/$/, "") ?? "";
  return suffix === "" ? undefined : `${path}${suffix}`;
}

/** Lists only endpoints that exist. None of them issues tokens by a grant of OAuth 2.0. */
function toMetadata({ origin }: URL, { issuer, publicPath = "", tokenPath, authPath }: Settings<AuthUser>) {
  const base = `${origin}${publicPath}`;
  const authMethods = ["client_secret_basic"];
  return {
    issuer,
    jwks_uri: `${base}/.well-known/jwks.json`,
    introspection_endpoint: `${base}${tokenPath}/introspect/`,
    introspection_endpoint_auth_methods_supported: authMethods,
    revocation_endpoint: `${base}${tokenPath}/revoke/`,
    revocation_endpoint_auth_methods_supported: authMethods,
    response_types_supported: [],
    grant_types_supported: [],
    tokenpair_check_endpoint: `${base}${authPath}/check/`,
    tokenpair_revocations_endpoint: `${base}${authPath}/revocations/`,
  };
}
