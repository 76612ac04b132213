/** A server in a process of its own: `serve.ts postgres URL SCHEMA` or `serve.ts sqlite PATH`. Tells its port. */
import { createServer } from "node:http";
import { toNodeHandler } from "../../src/adapters/node/index.ts";
import { createAuth } from "../../src/index.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { listen } from "../http/served.ts";
import { signingKey } from "./crowd.ts";

const [, , kind, place = "", schema = ""] = process.argv;
const store = kind === "postgres" ? postgresStore({ connectionString: place, schema }) : sqliteStore(place);
// One client stands for thousands of addresses.
const auth = createAuth({ store, signingKey, refreshLimit: 0 });
await auth.ready();
process.on("disconnect", () => process.exit());
// Between its rounds, the client's connections are idle for longer than the default of 5 seconds.
const server = createServer({ keepAliveTimeout: 600_000 }, toNodeHandler(auth));
process.send?.({ port: await listen(server) });
