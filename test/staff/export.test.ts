import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toAuditRow } from "../../src/events/audit-row.ts";
import { exportFormats } from "../../src/staff/audit/export-formats.ts";
import { createStaffScene, type StaffScene } from "./setup.ts";

let scene: StaffScene;
let ada: { id: string; access: string };
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  scene = await createStaffScene();
  ada = await scene.addUser("ada", "admin");
});
afterEach(async () => {
  await scene.close();
  vi.useRealTimers();
});

/** Splits a text of the CSV format, as RFC 4180 describes it. */
function parseCsv(text: string): readonly (readonly string[])[] {
  return text
    .slice(0, -2)
    .split(/\r\n(?=")/)
    .map((line) => [...line.matchAll(/"((?:[^"]|"")*)"/g)].map(([, cell = ""]) => cell.replaceAll('""', '"')));
}

const exported = () => scene.call(ada.access, "GET", "audit/?type=audit_exported");

describe("the export of the audit log", () => {
  it("has every entry once, newest first, and is recorded with the filters", async () => {
    await scene.store.audit.append(
      Array.from({ length: 1_234 }, (_, n) =>
        toAuditRow({ type: "login_failed", time: n + 1, code: "no_active_account", reason: "x", client: {} }),
      ),
    );
    const text = await scene.text(ada.access, "audit/export/?format=jsonl&type=login_failed");
    const times = text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line).time]));
    expect(times).toEqual(Array.from({ length: 1_234 }, (_, n) => 1_234 - n));
    const { results } = (await exported()).body;
    expect(results).toMatchObject([
      { user: { id: ada.id }, actor: "staff/ada", details: { format: "jsonl", filter: "type=login_failed" } },
    ]);
  });

  it("writes CSV whose cells no spreadsheet runs", async () => {
    const agents = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1", 'a "quoted", agent', "plain"];
    await scene.store.audit.append(
      agents.map((userAgent, n) =>
        toAuditRow({ type: "unlocked", time: n + 1, ip: "192.0.2.1", client: { userAgent } }),
      ),
    );
    const rows = parseCsv(await scene.text(ada.access, "audit/export/?format=csv&type=unlocked"));
    const column = rows[0]?.indexOf("user_agent") ?? -1;
    const cells = rows.slice(1).map((row) => row[column]);
    expect(cells).toEqual(["plain", 'a "quoted", agent', "'＝1", "'\rx", "'\tx", "'@x", "'-1", "'+1", "'=1+1"]);
    expect(rows.every((row) => row.length === 12)).toBe(true);
  });

  it("writes no cell that a spreadsheet runs, in any column", async () => {
    const evil = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"].map(
      (sign) => `${sign}cmd|' /C calc'!A0`,
    );
    for (const [n, text] of evil.entries()) {
      const made = await scene.store.users.create({
        id: text,
        username: text,
        usernameKey: text,
        email: null,
        role: null,
        passwordHash: null,
      });
      expect(made.outcome).toBe("created");
      const client = { ip: text, userAgent: text, actor: text, note: text };
      await scene.store.audit.append([
        toAuditRow({
          type: "sessions_revoked",
          time: n,
          userId: text,
          sessionId: text,
          sessions: 1,
          reason: text as never,
          client,
        }),
      ]);
    }
    const csv = await scene.text(ada.access, "audit/export/?format=csv&type=sessions_revoked");
    const rows = parseCsv(csv).slice(1);
    expect(rows).toHaveLength(evil.length);
    expect(rows.flat().filter((cell) => /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(cell))).toEqual([]);
    // Nothing is lost: behind the apostrophe is what was written.
    const texts = new Set(
      rows
        .flat()
        .filter((cell) => cell.startsWith("'"))
        .map((cell) => cell.slice(1)),
    );
    expect(texts).toEqual(new Set(evil));
    expect(rows.flat().filter((cell) => cell.startsWith("'"))).toHaveLength(evil.length * 8);
  });

  it("is only for admins who were authenticated a short time ago", async () => {
    const eve = await scene.addUser("eve", "support");
    expect((await scene.call(eve.access, "GET", "audit/export/?format=csv")).body.code).toBe("permission_denied");
    expect((await scene.call(ada.access, "GET", "audit/export/")).body).toHaveProperty("format");
    vi.setSystemTime(Date.now() + 601_000);
    const refused = await scene.call(ada.access, "GET", "audit/export/?format=csv");
    expect([refused.status, refused.body.code]).toEqual([401, "confirmation_required"]);
    expect((await exported()).body.results).toEqual([]);
  });

  it("names the file, and forbids to keep it", async () => {
    const response = await scene.request(ada.access, "audit/export/?format=csv");
    await response.body?.cancel();
    expect(response.headers.get("Content-Disposition")).toBe('attachment; filename="audit.csv"');
    expect(response.headers.get("Content-Type")).toBe(exportFormats.csv.mediaType);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
  });

  it.each([
    ["loses the role", () => scene.auth.users.update(ada.id, { role: "support" })],
    ["logs out", () => scene.auth.sessions.revokeAllForUser(ada.id)],
  ])("breaks off when the member %s", async (_, change) => {
    await scene.store.audit.append(
      Array.from({ length: 2_000 }, (_, n) => toAuditRow({ type: "unlocked", time: n + 1, client: {} })),
    );
    const response = await scene.request(ada.access, "audit/export/?format=jsonl");
    const reader = response.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    await change();
    await expect(reader?.read()).rejects.toThrow();
  });

  it("allows four exports at once on a node, and again one when another has ended", async () => {
    const running = [];
    for (let n = 0; n < 4; n++) running.push(await scene.request(ada.access, "audit/export/?format=csv"));
    expect((await scene.request(ada.access, "audit/export/?format=csv")).status).toBe(429);
    await running[0]?.body?.cancel();
    const next = await scene.request(ada.access, "audit/export/?format=csv");
    expect(next.status).toBe(200);
    for (const response of [next, ...running.slice(1)]) await response.body?.cancel();
  });
});
