/**
 * Whether the time of a refused login tells who exists: `npx node bench/login-timing.ts`. Prints medians in milliseconds
 * and their ratio to that of a wrong password.
 */
import { hash } from "@node-rs/argon2";
import { createAuth } from "../src/index.ts";
import { sqliteStore } from "../src/store/sqlite/index.ts";

const rounds = 60;
const store = sqliteStore(":memory:");
await store.migrate();
// Throttling would answer most of these without a look at the password.
const undelayed = { loginFailuresBeforeDelay: 0, accountFailuresBeforeDelay: 0, addressFailuresBeforeDelay: 0 };
const auth = createAuth({ store, signingKey: "a signing key of this benchmark only", ...undelayed });
await auth.ready();
await auth.users.create({ username: "alice", password: "correct horse battery" });
const gone = await auth.users.create({ username: "gone", password: "correct horse battery" });
await auth.users.disable(gone?.id ?? "");
await auth.users.create({ username: "unusable" });
// What has not been brought up to date takes its own time; docs/passwords.md says so.
await addWithHash("weak", await hash("correct horse battery", { memoryCost: 9_728, timeCost: 2 }));
await addWithHash("django", `pbkdf2_sha256$1000000$a salt$${Buffer.alloc(32).toString("base64")}`);

const cases = {
  "wrong password": ["alice", "wrong"],
  "unknown user": ["nobody", "wrong"],
  "inactive user, right password": ["gone", "correct horse battery"],
  "user without a password": ["unusable", "wrong"],
  "hash of half the memory": ["weak", "wrong"],
  "hash of Django's, PBKDF2": ["django", "wrong"],
} as const;
const times = new Map<string, number[]>(Object.keys(cases).map((name) => [name, []]));
for (let round = 0; round < rounds; round++) {
  // Each begins behind another one, since what came before leaves its traces in the caches.
  const entries = Object.entries(cases).toSorted(() => Math.random() - 0.5);
  for (const [name, [username, password]] of entries) {
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

async function addWithHash(username: string, passwordHash: string): Promise<void> {
  const user = await auth.users.create({ username });
  await store.users.setPassword(user?.id ?? "", passwordHash);
}
