/** The same service in workerd. The verifier is made outside of a request, as a Worker does it. */
import { env } from "cloudflare:workers";
import { createVerifier } from "../../dist/verifier/index.js";

const verifier = createVerifier({
  issuer: env.ISSUER,
  audience: env.AUDIENCE,
  url: env.ISSUER_URL,
  credential: env.CREDENTIAL,
  revocations: "pull",
  maxStaleness: Number(env.MAX_STALENESS ?? 10),
});

// biome-ignore lint/style/noDefaultExport: that is what workerd looks for
export default {
  async fetch(request) {
    if (new URL(request.url).pathname === "/status") return Response.json(verifier.status());
    const result = await verifier.check(request);
    return result.ok ? new Response(result.authentication.userId) : result.response;
  },
};
