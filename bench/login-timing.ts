/**
 * Whether the time of a refused login tells who exists: `npx node bench/login-timing.ts`. Prints medians in milliseconds
 * and their ratio to that of a wrong password.
 */
import { createAuth } from "../src/index.ts";
import { sqliteStore } from "../src/store/sqlite/index.ts";

const rounds = 60;
const store = sqliteStore(":memory:");
await store.migrate();
const auth = createAuth({ store, signingKey: "a signing key of this benchmark only" });
await auth.ready();
await auth.users.create({ username: "alice", password: "correct horse battery" });
const gone = await auth.users.create({ username: "gone", password: "correct horse battery" });
await auth.users.disable(gone?.id ?? "");
await auth.users.create({ username: "unusable" });

const cases = {
  "wrong password": ["alice", "wrong"],
  "unknown user": ["nobody", "wrong"],
  "inactive user, right password": ["gone", "correct horse battery"],
  "user without a password": ["unusable", "wrong"],
} as const;
const times = new Map<string, number[]>(Object.keys(cases).map((name) => [name, []]));
for (let round = 0; round < rounds; round++) {
  for (const [name, [username, password]] of Object.entries(cases)) {
    const start = performance.now();
    await auth.login({ username, password }).catch(() => undefined);
    times.get(name)?.push(performance.now() - start);
  }
}
const median = (name: string) => (times.get(name) ?? []).toSorted((a, b) => a - b)[rounds / 2] ?? 0;
for (const name of Object.keys(cases)) {
  console.log(
    `${name.padEnd(30)} ${median(name).toFixed(2)} ms  ×${(median(name) / median("wrong password")).toFixed(3)}`,
  );
}
auth.close();
await store.close();
