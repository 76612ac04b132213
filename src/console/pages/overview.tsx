import type { ReactNode } from "react";
import { Link } from "wouter";
import type { StaffAuditEntry, StaffNode, StaffOverview } from "../../staff/api.ts";
import { useStaff } from "../data/use-staff.ts";
import { EntryText } from "../parts/entry-text.tsx";
import { Head } from "../parts/head.tsx";
import { toNumber } from "../parts/pager.tsx";
import { Empty, Loaded } from "../parts/states.tsx";
import { Age, Moment, ZoneSwitch } from "../parts/time.tsx";
import { NodeTable } from "./nodes.tsx";
import { Tile } from "./tile.tsx";

/** The first page: the state of the installation. */
export function OverviewPage(): ReactNode {
  const query = useStaff<StaffOverview>("overview/", {}, { every: 5 });
  return (
    <>
      <Head title="Overview" />
      <Loaded query={query}>{(overview) => <Shown overview={overview} isOld={query.isError} />}</Loaded>
      <ZoneSwitch />
    </>
  );
}

const toCount = (count: number, one: string, many: string) => `${toNumber(count)} ${count === 1 ? one : many}`;

function Shown({ overview, isOld }: { readonly overview: StaffOverview; readonly isOld: boolean }): ReactNode {
  const { state, live_sessions: sessions, logins, refreshes, reuse_detected: reuse, throttled, revocations } = overview;
  return (
    <>
      {isOld ? null : <State state={state} nodes={overview.nodes} />}
      <dl className="tiles">
        <Tile
          name="Live sessions"
          value={toNumber(sessions.count)}
          href="/sessions"
          sub={toCount(sessions.users, "user", "users")}
        />
        <Tile
          name="Logins / min"
          value={toNumber(logins.per_minute)}
          series={logins.series}
          href="/audit?type=login"
          sub={`${toNumber(logins.failed)} failed`}
        />
        <Tile
          name="Refreshes / min"
          value={toNumber(refreshes.per_minute)}
          series={refreshes.series}
          sub={`${toNumber(refreshes.replayed)} replayed`}
        />
        <Tile
          name="Reuse detected"
          value={toNumber(reuse.count)}
          isBad={reuse.count > 0}
          href="/audit?type=refresh"
          sub={
            reuse.last_at === null ? (
              "in 24 hours"
            ) : (
              <>
                in 24 hours, last <Age at={reuse.last_at} />
              </>
            )
          }
        />
        <Tile
          name="Throttled now"
          value={toNumber(throttled.accounts + throttled.addresses)}
          href="/audit?type=throttled"
          sub={`${toCount(throttled.accounts, "account", "accounts")}, ${toCount(throttled.addresses, "address", "addresses")}`}
        />
        <Tile name="Live revocations" value={toNumber(revocations.live)} sub="that nodes remember" />
      </dl>
      <NodeTable nodes={overview.nodes} />
      <div className="cols">
        <Entries title="Needs a look" entries={overview.needs_a_look} nothing="Nothing in the last 24 hours." />
        <Entries
          title="Staff, last actions"
          entries={overview.staff_actions}
          nothing="The staff has changed nothing yet."
        />
      </div>
    </>
  );
}

const tones = { ok: "state", warning: "state caution", problem: "state bad" } as const;
const words = { ok: "", warning: "Warning: ", problem: "Problem: " } as const;

function State({
  state,
  nodes,
}: {
  readonly state: StaffOverview["state"];
  readonly nodes: readonly StaffNode[];
}): ReactNode {
  return (
    <p className={tones[state.level]} role="status">
      {words[state.level]}
      {state.text}
      {state.level === "ok" || nodes.length === 0 ? null : (
        <>
          {" "}
          <Link href="/health">See health</Link>
        </>
      )}
    </p>
  );
}

function Entries({
  title,
  entries,
  nothing,
}: {
  readonly title: string;
  readonly entries: readonly StaffAuditEntry[];
  readonly nothing: string;
}): ReactNode {
  return (
    <section className="card flush">
      <h2>{title}</h2>
      {entries.length === 0 ? (
        <Empty title={nothing} />
      ) : (
        <ul className="line">
          {entries.map((entry) => (
            <li key={entry.id}>
              <Moment at={entry.time} />
              <EntryText entry={entry} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
