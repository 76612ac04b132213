import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { type HistoryEntry, invariants, parseHistory } from "../../scripts/history/format.ts";
import { toHistoryOfLog } from "../../scripts/history/server-log.ts";
import {
  access,
  audit,
  disable,
  enable,
  ended,
  judge,
  login,
  logout,
  refresh,
  row,
  settings,
  toText,
  violated,
} from "./histories.ts";

/** A session in which everything happens that may, and a forged token is refused. */
const sound: readonly HistoryEntry[] = [
  login(0),
  audit("login"),
  refresh(1, 0),
  audit("rotation", 0),
  refresh(2, 0, "replayed"),
  refresh(3, 1, "unknown", { attempt: "lost" }),
  refresh(60, 1, "replayed", { attempt: "lost" }),
  audit("rotation", 1),
  access(61),
  refresh(62, 2, "refused", { genuine: false }),
  row(63, 2),
  refresh(100, 0, "reuse_detected"),
  audit("reuse_detected"),
  refresh(101, 2, "refused"),
  access(102, { outcome: "refused" }),
  ended(103, 2, "reuse"),
];

describe("the history checker", () => {
  it("finds no violation in a history that holds, and judges it by every invariant", () => {
    const other: readonly HistoryEntry[] = [
      login(0, "t"),
      logout(5, { sid: "t", confirmed: "acks" }),
      access(5.005, { sid: "t" }),
      access(5.5, { sid: "t", outcome: "refused" }),
    ];
    const audits: readonly HistoryEntry[] = [
      { op: "audit", event: "login", sid: "t" },
      { op: "audit", event: "logout", sid: "t" },
    ];
    const { violations, judged } = judge(...sound, ...other, ...audits);
    expect(violations).toEqual([]);
    expect(invariants.filter((name) => !judged.get(name))).toEqual([]);
  });

  it.each<[string, readonly HistoryEntry[]]>([
    [
      "a refresh during a logout comes first or second",
      [login(0), refresh(5, 0, "rotated", { length: 1 }), logout(5.5)],
    ],
    ["a login during a disable is revoked", [login(5), disable(4.995), ended(6, 0, "user_disabled")]],
    ["a login after the user was enabled stays valid", [disable(1), enable(2), login(2), refresh(3, 0), row(4, 1)]],
    ["the answer to a refresh is lost", [login(0), refresh(1, 0, "unknown"), row(2, 1)]],
    ["an expired token is refused", [login(0), refresh(901, 0, "refused"), row(902, 0)]],
    [
      "a token is refused after a logout that was not answered",
      [login(0), logout(1, { outcome: "unknown" }), refresh(2, 0, "refused"), ended(3, 0)],
    ],
    [
      "a late replay with another idempotency key revokes the session",
      [login(0), refresh(1, 0), refresh(12.1, 0, "refused"), refresh(13, 1, "refused"), ended(14, 1, "reuse")],
    ],
    ["a replay that may have been in time is answered", [login(0), refresh(1, 0), refresh(11.9, 0, "replayed")]],
    [
      "a password change gives the session a new generation",
      [login(0), disable(1, { how: "password", except: "s" }), refresh(2, 0, "refused"), row(3, 1), refresh(4, 1)],
    ],
    [
      "a node that was cut off accepts an access token until it fails closed",
      [login(0), logout(1), { op: "fault", what: "partition", start: 500, end: 9_000 }, access(9)],
    ],
    ["a session that began before the history is not missed", [row(1, 7), refresh(2, 7), row(3, 8)]],
  ])("finds no violation if %s", (_, entries) => {
    expect(violated(...entries)).toEqual({});
  });
});

const audited: readonly HistoryEntry[] = [login(0), audit("login"), refresh(1, 0), audit("rotation", 0)];

describe("the history checker, in a history that does not hold,", () => {
  it.each<[string, string, readonly HistoryEntry[], readonly number[]]>([
    ["I1", "two successors", [login(0), refresh(1, 0), refresh(2, 0, "replayed", { jti: "x" })], [3, 4]],
    ["I1", "one generation rotated twice", [login(0), refresh(1, 0), refresh(1, 0)], [3, 4]],
    [
      "I2",
      "tokens for the generation before the last",
      [login(0), refresh(1, 0), refresh(2, 1), refresh(3, 0, "replayed")],
      [3, 5],
    ],
    ["I2", "a replay after the reuse interval", [login(0), refresh(1, 0), refresh(12.1, 0, "replayed")], [3, 4]],
    [
      "I2",
      "a replay without an idempotency key after the reuse interval",
      [
        login(0),
        refresh(1, 0, "unknown", { attempt: null }),
        refresh(2, 0, "replayed"),
        refresh(14, 0, "replayed", { attempt: null }),
      ],
      [4, 5],
    ],
    ["I3", "tokens after a logout", [login(0), logout(1), refresh(2, 0)], [3, 4]],
    ["I3", "tokens after the user was disabled", [login(0), disable(1), refresh(2, 0)], [3, 4]],
    ["I3", "a login that survives a disable during it", [login(1), disable(1.005), refresh(2, 0)], [3, 4]],
    [
      "I4",
      "a generation left out",
      [login(0), refresh(1, 0, "rotated", { given: { sid: "s", gen: 2, jti: "x", exp: 900 } })],
      [3],
    ],
    ["I4", "a login into a later generation", [login(0, "s", { given: { sid: "s", gen: 1 } })], [2]],
    ["I4", "a row that rose by itself", [login(0), refresh(1, 0), row(2, 2)], [4]],
    ["I4", "a row that fell", [row(1, 3), row(2, 2)], [2, 3]],
    [
      "I5",
      "a refresh token that outlives the session",
      [login(0), refresh(1, 0, "rotated", { given: { sid: "s", gen: 1, exp: 1_002 } })],
      [3],
    ],
    [
      "I5",
      "an access token that outlives the session",
      [login(0, "s", { given: { sid: "s", gen: 0, access: { jti: "a", exp: 1_001 } } }), row(1, 0)],
      [2, 3],
    ],
    ["I5", "a session that lives too long", [login(0), row(1, 0, { absolute: 1_002 })], [2, 3]],
    ["I5", "an absolute expiry that moves", [row(1, 0), row(2, 0, { absolute: 990 })], [2, 3]],
    ["I6", "a current token refused", [login(0), refresh(1, 0), refresh(2, 1, "refused")], [4]],
    [
      "I6",
      "a retry with its idempotency key refused, an hour later",
      [login(0), refresh(1, 0, "unknown", { attempt: "x" }), refresh(800, 0, "refused", { attempt: "x" })],
      [4],
    ],
    ["I6", "a second tab refused within the reuse interval", [login(0), refresh(1, 0), refresh(2, 0, "refused")], [4]],
    [
      "I6",
      "a forged token that logs a user out",
      [login(0), refresh(1, 0, "refused", { genuine: false }), refresh(2, 0, "refused")],
      [4],
    ],
    ["I7", "tokens after detected reuse", [login(0), refresh(1, 0), refresh(30, 0, "refused"), refresh(31, 1)], [4, 5]],
    [
      "I7",
      "a session that stays live after detected reuse",
      [login(0), refresh(1, 0), refresh(30, 0, "refused"), row(31, 1)],
      [4, 5],
    ],
    ["I8", "a forged refresh token answered", [login(0), refresh(1, 0, "rotated", { genuine: false })], [3]],
    ["I8", "a logout by a forged token", [login(0), logout(1, { genuine: false })], [3]],
    [
      "I9",
      "a revocation of another session that revokes this one too",
      [login(0), login(0, "t"), logout(1, { sid: "t" }), ended(2, 0)],
      [2, 5],
    ],
    ["I10", "a logout that a crash undid", [login(0), logout(1), row(2, 0)], [3, 4]],
    ["I10", "a rotation that a crash undid", [login(0), refresh(1, 0), row(2, 0)], [3, 4]],
    ["I10", "a login that a crash undid", [login(0), { op: "row", at: 2_000, sid: "s", missing: true }], [2, 3]],
    ["I10", "half a transaction", [login(0), logout(1), ended(2, 0, "logout", { announced: false })], [4]],
    ["I10", "a state that was lost", [login(0), refresh(1, 0), refresh(20, 1, "state_lost")], [4]],
    ["I11", "an access token accepted long after the logout", [login(0), logout(1), access(2.1)], [3, 4]],
    [
      "I13",
      "an access token accepted after a revocation that every node had acknowledged",
      [login(0), logout(1, { confirmed: "acks" }), access(1.02)],
      [3, 4],
    ],
    [
      "I13",
      "an access token accepted after a revocation that was confirmed by expiry",
      [login(0), logout(1, { confirmed: "expiry" }), access(1.02)],
      [3, 4],
    ],
    [
      "I14",
      "an access token accepted by a node that should have failed closed",
      [login(0), logout(1), { op: "fault", what: "partition", start: 500, end: 60_000 }, access(13)],
      [3, 5],
    ],
    ["I12", "a login without an entry", [login(0), refresh(1, 0), audit("rotation", 0)], [2]],
    ["I12", "a rotation without an entry", [login(0), audit("login"), refresh(1, 0)], [4]],
    ["I12", "detected reuse without an entry", [...audited, refresh(30, 0, "refused")], [6]],
    ["I12", "a logout without an entry", [login(0), audit("login"), logout(1)], [4]],
    ["I12", "an entry that is there twice", [login(0), audit("login"), audit("login")], [4]],
  ])("finds a violation of %s and the lines that prove it: %s", (invariant, _, entries, lines) => {
    expect(violated(...entries)).toEqual({ [invariant]: lines });
  });
});

it.each([
  ["a request that began before the confirmed answer", [login(0), logout(1, { confirmed: "acks" }), access(1.005)]],
  ["a request after an answer that confirmed nothing", [login(0), logout(1, { confirmed: "pending" }), access(1.5)]],
])("doesn't take %s for a violation", (_, entries) => {
  expect(violated(...entries)).toEqual({});
});

describe("the format of histories", () => {
  it.each([
    ["no settings", toText(login(0)), /first line/],
    ["a field that it does not know", toText(settings, { ...login(0), password: "x" }), /^line 2: .*password/s],
    ["a line that is no JSON", `${toText(settings)}\n{`, /^line 2: is no JSON$/],
  ])("refuses a history with %s", (_, text, message) => {
    expect(() => parseHistory(text)).toThrow(message);
  });

  it("reads the outcomes and entries of a history of version 0.1 under their new names", () => {
    const old = [
      { ...refresh(1, 0, "rotated"), outcome: "renewed" },
      { ...refresh(30, 0, "refused"), outcome: "theft" },
      { ...audit("login"), event: "theft" },
    ];
    const [first, renewed, theft, entry] = parseHistory(toText({ ...settings, audited: ["login", "theft"] }, ...old));
    expect(first).toMatchObject({ audited: ["login", "reuse_detected"] });
    expect(renewed).toMatchObject({ outcome: "not_rotated" });
    expect(theft).toMatchObject({ outcome: "reuse_detected" });
    expect(entry).toMatchObject({ event: "reuse_detected" });
  });

  it("refuses tokens, and does not repeat them", () => {
    const token = "eyJhbGciOiJIUzI1NiJ9.eyJzaWQiOiJzIn0.c2lnbmF0dXJl";
    const read = () => parseHistory(toText(settings, refresh(1, 0, "rotated", { client: token })));
    expect(read).toThrow(/^line 2 holds a token/);
    expect(read).not.toThrow(/eyJ/);
  });
});

const logLine = (second: number, msg: string, fields: object) => ({
  level: "info",
  time: new Date(second * 1_000).toISOString(),
  at: second,
  userId: "1",
  sessionId: "s",
  ...fields,
  msg,
});

describe("toHistoryOfLog", () => {
  it.each([
    ["version 0.2", { revoked: "sessions_revoked", reuse: "reuse_detected", notRotated: "not_rotated" }],
    [
      "a server that observes",
      { revoked: "sessions_revoked", reuse: "reuse_detected", notRotated: "rotation_ignored" },
    ],
    ["version 0.1", { revoked: "sessions_ended", reuse: "theft", notRotated: "renewed" }],
  ])("reads the events of a log of %s", (_, { revoked, reuse, notRotated }) => {
    const log = [
      logLine(1, "login", {}),
      logLine(2, "refresh", { outcome: notRotated, generation: 0 }),
      logLine(3, "refresh", { outcome: reuse, generation: 0 }),
      logLine(4, revoked, { reason: "logout" }),
      logLine(5, revoked, { reason: "user_disabled", sessionId: undefined }),
    ];
    const [, ...lines] = parseHistory(toText(...toHistoryOfLog(toText(...log))));
    expect(lines).toMatchObject([
      { op: "login", user: "1", given: { sid: "s", gen: 0 } },
      { op: "audit", event: "login", sid: "s" },
      { op: "refresh", token: { sid: "s", gen: 0 }, outcome: "not_rotated" },
      { op: "refresh", token: { sid: "s", gen: 0 }, outcome: "reuse_detected" },
      { op: "audit", event: "reuse_detected", sid: "s" },
      { op: "end", how: "logout", sid: "s" },
      { op: "audit", event: "logout", sid: "s" },
      { op: "end", how: "disable", user: "1" },
    ]);
  });
});

describe("node scripts/check-history.ts", () => {
  const run = (...args: readonly string[]) =>
    promisify(execFile)(process.execPath, [
      resolve(import.meta.dirname, "../../scripts/check-history.ts"),
      ...args,
    ]).then(
      ({ stdout }) => ({ code: 0, stdout }),
      ({ code, stdout, stderr }) => ({ code, stdout: stdout + stderr }),
    );
  it("prints violations with their lines, and its exit code says whether there are any", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const good = write("good.jsonl", toText(settings, ...sound));
    const bad = write("bad.jsonl", toText(settings, login(0), logout(1), refresh(2, 0)));
    const log = [
      logLine(1, "login", {}),
      logLine(2, "refresh", { outcome: "rotated", generation: 0 }),
      logLine(2, "request", { status: 200 }),
      logLine(30, "refresh", { outcome: "reuse_detected", generation: 0 }),
      logLine(30, "sessions_revoked", { reason: "reuse" }),
    ];
    const node1 = write("node-1.log", `${toText(...log)}\n{"level":"inf`);
    const node2 = write("node-2.log", toText(logLine(40, "refresh", { outcome: "rotated", generation: 1 })));
    const outcomes = await Promise.all([run(good), run(bad), run("--log", node1), run("--log", node1, node2), run()]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 1, 0, 1, 2]);
    const [first, second, third, fourth] = outcomes.map(({ stdout }) => stdout);
    expect(first).toMatch(/I6 \d+.*\nviolations: 0\n$/);
    expect(second).toMatch(/^I3 does not hold: .*\n {2}3: \{"op":"end".*\n {2}4: \{"op":"refresh"/);
    expect(third).toMatch(/I5 -.*\nviolations: 0\n$/);
    expect(fourth).toMatch(/^I[37] does not hold/m);
    rmSync(folder, { recursive: true, force: true });
  });
});
