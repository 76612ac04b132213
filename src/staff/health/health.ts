import { hostname } from "node:os";
import type { Deps } from "../../flows/deps.ts";
import type { StaffHealth } from "../api.ts";
import type { ServerParts } from "../server-parts.ts";
import { toStaffSettings } from "../settings-view.ts";
import type { Check } from "./check.ts";
import { toRiskChecks, toSettingRisks } from "./setting-checks.ts";
import { checkStore } from "./store-checks.ts";

/** How long a result is used, in milliseconds. The checks read every user's form of hash, so they don't run at every request. */
const maxAge = 15_000;

const levels = { ok: "pass", warn: "warning", fail: "fail" } as const satisfies Record<
  Check["status"],
  StaffHealth["checks"][number]["level"]
>;

/** Creates the function that returns the state of this node. Calls within a few seconds get the same result. */
export function createHealthReader(deps: Deps, server?: ServerParts): () => Promise<StaffHealth> {
  const { store, settings, clock } = deps;
  let latest: { readonly at: number; readonly result: Promise<StaffHealth> } | null = null;

  async function runOwnChecks(): Promise<readonly Check[]> {
    return [
      ...(await checkStore(store, "The database", settings)),
      ...toRiskChecks(toSettingRisks(settings), settings),
    ];
  }

  async function read(): Promise<StaffHealth> {
    const checks = await (server?.runChecks ?? runOwnChecks)();
    const startedAt = clock.monotonic();
    const { now } = await store.staff.reports();
    const roundTrip = clock.monotonic() - startedAt;
    const facts = (await server?.describeDatabase()) ?? [];
    return {
      now,
      node: settings.nodeName ?? hostname(),
      checks: checks.map(({ name, status, detail }) => ({ name, level: levels[status], text: detail })),
      settings: [...toStaffSettings(settings), ...(server?.settings ?? [])],
      database: [...facts, { name: "Round trip", value: `${roundTrip.toFixed(1)} ms` }],
    };
  }

  return () => {
    const at = clock.monotonic();
    if (latest !== null && at - latest.at < maxAge) return latest.result;
    const result = read();
    const own = { at, result };
    latest = own;
    // A failure isn't kept: the next request tries again.
    result.catch(() => {
      if (latest === own) latest = null;
    });
    return result;
  };
}
