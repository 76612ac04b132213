/**
 * How long the staff API takes for each list of the console, with a million sessions, a hundred thousand users and a million audit
 * entries in PostgreSQL. Every request goes through `createConsole(auth).fetch`, with authentication and the look at the role, one
 * at a time. Warm: each list is read a few times before.
 */
import { createAuth } from "../src/create-auth.ts";
import { type Console, createConsole } from "../src/staff/index.ts";
import { startPostgres } from "../test/support/postgres.ts";
import type { Harness } from "./harness/harness.ts";
import { toFigure } from "./harness/markdown.ts";
import { createCrowd } from "./harness/sessions.ts";
import { quantile } from "./harness/statistics.ts";

/** What a list may take at most, in milliseconds. */
const limit = 50;

/** Below the 300 requests a minute that a member may send. */
const requestsOfMember = 250;

const lists: readonly (readonly [name: string, path: string])[] = [
  ["users", "users/"],
  ["users by name", "users/?search=user-5"],
  ["users by email address", "users/?search=user-500@"],
  ["inactive users", "users/?is_active=false"],
  ["admins", "users/?role=admin"],
  ["users without a role, inactive", "users/?role=none&is_active=false"],
  ["one user", "users/77/"],
  ["sessions", "sessions/"],
  ["live sessions", "sessions/?state=live"],
  ["ended sessions", "sessions/?state=ended"],
  ["sessions of a user", "sessions/?user=77"],
  ["sessions of an address", "sessions/?ip=203.0.113.77"],
  ["sessions of a network", "sessions/?ip=203.0.113.0/24"],
  ["sessions of a user agent", "sessions/?user_agent=chrome"],
  ["sessions of a rare user agent", "sessions/?user_agent=nothing-has-this"],
  ["sessions long unused", "sessions/?unused_since=2020-01-01T00:00:00Z"],
  ["audit", "audit/"],
  ["audit of a type", "audit/?type=login"],
  ["audit of a rare type", "audit/?type=unlocked"],
  ["audit of a user", "audit/?user=77"],
  ["audit of an address", "audit/?ip=203.0.113.7"],
  ["audit of an actor", "audit/?actor=staff/ada"],
  ["overview", "overview/"],
  ["nodes", "nodes/"],
  ["keys", "keys/"],
];

export async function run(harness: Harness): Promise<void> {
  const postgres = await startPostgres({ max_wal_size: "8GB", shared_buffers: "1GB" });
  try {
    await measureAll(harness, postgres.url);
  } catch (error) {
    // Before the server stops, which ends the connections that are left open.
    console.error(error);
    process.exitCode = 1;
  } finally {
    await postgres.stop();
  }
}

async function measureAll(harness: Harness, url: string): Promise<void> {
  const size = harness.quick ? { sessions: 100_000, users: 10_000 } : { sessions: 1_000_000, users: 100_000 };
  const rounds = harness.quick ? 60 : 200;
  const { store, admin, schema, close } = await createCrowd(url, "staff", size.sessions, size.users);
  await admin.query(`UPDATE ${schema}.sessions SET ip = '203.0.' || hashtext(id) % 100 + 100 || '.' || generation,
      created_at = created_at - 1000000 + ('x' || right(id, 6))::bit(24)::int,
      revoked_at = CASE WHEN hashtext(id) % 2 = 0 THEN 1 END,
      revoke_reason = CASE WHEN hashtext(id) % 2 = 0 THEN 'logout' END`);
  await admin.query(`UPDATE ${schema}.user_numbers SET last = ${size.users}`);
  await admin.query(`UPDATE ${schema}.users SET is_active = false WHERE position % 50 = 0`);
  await admin.query(
    `INSERT INTO ${schema}.audit_log (at, type, user_id, ip, actor, details)
      SELECT floor(extract(epoch FROM now()))::bigint - $1 + i, 'login', (1 + i % 100000)::text, '203.0.113.' || i % 250,
        CASE WHEN i % 5000 = 0 THEN 'staff/ada' END, '{}' FROM generate_series(1, $1::bigint) AS i`,
    [size.sessions],
  );
  await admin.query(`VACUUM (ANALYZE) ${schema}.sessions, ${schema}.users, ${schema}.audit_log`);
  const auth = createAuth({ store, signingKey: "0123456789abcdef".repeat(4) });
  await auth.ready();
  const staff = createConsole(auth);
  const rows: [string, ...number[]][] = [];
  for (const [name, path] of lists) rows.push([name, ...(await measure(staff, path, rounds, createMember))]);
  harness.table(
    `The staff API with ${size.sessions.toLocaleString("en")} sessions, ${size.users.toLocaleString("en")} users: milliseconds`,
    ["list", "p50", "p99", "max"],
    rows.map(([name, ...figures]) => [name, ...figures.map(toFigure)]),
  );
  const slowest = rows.toSorted((a, b) => (b[2] ?? 0) - (a[2] ?? 0))[0];
  harness.note(`Slowest: ${slowest?.[0]}.`);
  harness.goal(`${limit} ms as a share of the slowest p99`, limit / (slowest?.[2] ?? Number.POSITIVE_INFINITY), 1);
  await staff.close();
  await auth.close();
  await close();

  async function createMember(): Promise<string> {
    const { id } = await auth.users.create({ username: `staff-${members++}`, role: "admin" });
    return (await auth.issue(id)).access;
  }
}

let members = 0;

/** Returns the median, the 99th percentile and the longest time of `rounds` requests. */
async function measure(
  staff: Console,
  path: string,
  rounds: number,
  createMember: () => Promise<string>,
): Promise<readonly number[]> {
  let access = await createMember();
  const times: number[] = [];
  for (let round = -10; round < rounds; round++) {
    if ((round + 10) % requestsOfMember === requestsOfMember - 1) access = await createMember();
    const request = new Request(`http://localhost/api/admin/${path}`, {
      headers: { Authorization: `Bearer ${access}` },
    });
    const startedAt = performance.now();
    const response = await staff.fetch(request);
    const text = await response.text();
    if (round >= 0) times.push(performance.now() - startedAt);
    if (response.status !== 200) throw new Error(`${path} was answered ${response.status}: ${text}`);
  }
  const sorted = times.toSorted((a, b) => a - b);
  return [quantile(sorted, 0.5), quantile(sorted, 0.99), quantile(sorted, 1)];
}
