import type { ReactNode } from "react";
import type { Page, StaffAuditEntry } from "../../staff/api.ts";
import { useMe } from "../data/context.ts";
import { fromFieldTime, toFieldTime } from "../data/times.ts";
import { useSearch } from "../data/use-search.ts";
import { useStaff } from "../data/use-staff.ts";
import { userParameters, useUserFilter } from "../data/use-user-filter.ts";
import { EntryList, FollowState, useArrived } from "../parts/entry-list.tsx";
import { toTypeText } from "../parts/entry-text.tsx";
import { ChoiceFilter, Filters, TextFilter, UserTextFilter } from "../parts/filters.tsx";
import { Head } from "../parts/head.tsx";
import { NoMatch } from "../parts/no-match.tsx";
import { Pager } from "../parts/pager.tsx";
import { Loaded } from "../parts/states.tsx";
import { ZoneSwitch } from "../parts/time.tsx";
import { ExportMenu } from "./audit-export.tsx";
import { merge } from "./user-timeline.tsx";

const parameters = ["type", ...userParameters, "session", "ip", "actor", "from", "to"];

const names = ["type", "session", "ip", "actor", "from", "to"] as const;

/** The types that can be chosen, in the order in which people look for them. */
const types = [
  "login",
  "login_failed",
  "login_pending",
  "new_device",
  "session_confirmed",
  "refresh",
  "sessions_revoked",
  "token_revoked",
  "user_changed",
  "throttled",
  "unlocked",
  "csrf_refused",
  "key_added",
  "key_retired",
  "secret_rotated",
  "webhook_failed",
  "staff_refused",
  "audit_exported",
];

/** The page that shows the audit log. */
export function AuditPage(): ReactNode {
  const search = useSearch();
  const me = useMe();
  const user = useUserFilter(search);
  const filter = { user: user.id, ...Object.fromEntries(names.map((name) => [name, search.get(name)])) };
  const cursor = search.get("cursor");
  const isFollowing = search.get("follow") !== "no" && cursor === "" && search.get("to") === "";
  const query = useStaff<Page<StaffAuditEntry>>("audit/", { ...filter, cursor }, { after: user.lookup });
  const arrived = useArrived((entry) => user.lookup === undefined && isMatch(entry, filter), isFollowing);
  const key = JSON.stringify(filter);
  return (
    <>
      <Head title="Audit log">
        <button
          type="button"
          aria-pressed={isFollowing}
          onClick={() => search.set({ follow: isFollowing ? "no" : "", cursor: "", to: "" }, { replace: true })}
        >
          Follow live
        </button>
        {/* While the user of a name isn't known, the filter is missing. */}
        {me.permissions.includes("audit.export") && user.lookup === undefined ? <ExportMenu filter={filter} /> : null}
      </Head>
      <Filters label="Audit log" used={parameters.filter((name) => search.get(name) !== "").length}>
        <ChoiceFilter
          search={search}
          name="type"
          label="Type"
          choices={[["", "Any type"], ...types.map((type) => [type, toTypeText(type)] as const)]}
        />
        <UserTextFilter search={search} />
        <TextFilter search={search} name="session" label="Session id" />
        <TextFilter search={search} name="ip" label="Address" />
        <TextFilter search={search} name="actor" label="By (actor)" />
        <TextFilter
          search={search}
          name="from"
          label="From (UTC)"
          type="datetime-local"
          convert={{ toField: toFieldTime, fromField: fromFieldTime }}
        />
        <TextFilter
          search={search}
          name="to"
          label="Before (UTC)"
          type="datetime-local"
          convert={{ toField: toFieldTime, fromField: fromFieldTime }}
        />
      </Filters>
      <div className="under">
        <FollowState arrived={arrived} isFollowing={isFollowing} />
        <ZoneSwitch />
      </div>
      <Loaded query={query}>
        {(page) => {
          const shown = isFollowing ? arrived.shown.filter((entry) => isMatch(entry, filter)) : [];
          const entries = merge(shown, page.results);
          return (
            <div className="card flush" key={key} aria-busy={query.isPlaceholderData}>
              {entries.length === 0 ? (
                <NoMatch title="No entry matches." search={search} filters={parameters} />
              ) : (
                <EntryList entries={entries} fresh={new Set(shown.map(({ id }) => id))} />
              )}
              <Pager page={{ ...page, results: entries }} search={search} noun="entry" plural="entries" />
            </div>
          );
        }}
      </Loaded>
    </>
  );
}

/** Returns whether a new entry belongs to the list, as the server decides it for old ones. */
function isMatch(entry: StaffAuditEntry, filter: Readonly<Record<string, string>>): boolean {
  const is = (name: string, value: string | null | undefined) => !filter[name] || filter[name] === value;
  const from = filter["from"] ? Date.parse(filter["from"]) / 1_000 : 0;
  return (
    is("type", entry.type) &&
    is("user", entry.user?.id) &&
    is("session", entry.session_id) &&
    is("ip", entry.ip) &&
    is("actor", entry.actor) &&
    entry.time >= from
  );
}
