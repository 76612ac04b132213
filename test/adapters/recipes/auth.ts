import { randomBytes } from "node:crypto";
import { createAuth } from "tokenpair";
import { sqliteStore } from "tokenpair/sqlite";

/** What both nodes of the test share. */
export const options = { store: sqliteStore(":memory:"), signingKey: randomBytes(48) };
await options.store.migrate();

/** A node that isn't ready until the test calls `ready`. */
export const auth = createAuth(options);
