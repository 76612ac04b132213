/**
 * A server whose logins and refreshes are spans in your tracing system. In this folder: `npm ci`, then
 * `SIGNING_KEY=$(openssl rand -hex 48) OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 npx node server.ts`. It creates the user alice, with the password
 * "correct horse battery staple".
 */
import { createServer } from "node:http";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { createAuth } from "tokenpair";
import { toNodeHandler } from "tokenpair/node";
import { sqliteStore } from "tokenpair/sqlite";
import { traceTokenpair } from "./tracing.ts";

// Exports spans over OTLP, as the standard environment variables say.
const sdk = new NodeSDK({ serviceName: "my-application" });
sdk.start();
traceTokenpair();

const store = sqliteStore(":memory:");
await store.migrate();
const auth = createAuth({ store, signingKey: process.env["SIGNING_KEY"] ?? "" });
await auth.ready();
await auth.users.create({ username: "alice", password: "correct horse battery staple" });

const server = createServer(toNodeHandler(auth));
server.listen(Number(process.env["PORT"] ?? 3000), () => console.log("listening", server.address()));
process.once("SIGTERM", () => {
  server.close();
  void sdk.shutdown().finally(() => process.exit());
});
