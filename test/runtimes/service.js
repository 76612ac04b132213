/** A service behind a verifier, in Node, Deno and Bun. It prints its port, and answers with the user's id. */
import { createServer } from "node:http";
import process from "node:process";
import { createVerifier } from "../../dist/verifier/index.js";

const { ISSUER, AUDIENCE, ISSUER_URL, CREDENTIAL, REVOCATIONS, MAX_STALENESS = "10", RELAY_CREDENTIAL } = process.env;
const verifier = createVerifier({
  issuer: ISSUER,
  audience: AUDIENCE,
  url: ISSUER_URL,
  credential: CREDENTIAL,
  revocations: REVOCATIONS,
  maxStaleness: Number(MAX_STALENESS),
  relay: RELAY_CREDENTIAL && { credentials: [RELAY_CREDENTIAL] },
});
/** Serves the feed and the keys onward. */
const relay =
  RELAY_CREDENTIAL && (await import("@hono/node-server")).getRequestListener((request) => verifier.feed(request));

async function toBody(response) {
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
}

const server = createServer(async (req, res) => {
  if (req.url === "/status") return void res.end(JSON.stringify(verifier.status()));
  if (req.url === "/close") {
    // Nothing of the verifier may keep the process alive.
    verifier.close();
    res.writeHead(204, { Connection: "close" }).end();
    return void server.close();
  }
  if (relay && /\/(revocations\/|jwks\.json)/.test(req.url)) return void relay(req, res);
  const result = await verifier.check(req);
  if (result.ok) return void res.end(result.authentication.userId);
  const { status, headers, body } = await toBody(result.response);
  res.writeHead(status, headers).end(body);
});
server.listen(0, "127.0.0.1", () => console.log(`listening on ${server.address().port}`));
