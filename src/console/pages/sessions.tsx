import type { ReactNode } from "react";
import type { Page, StaffSession } from "../../staff/api.ts";
import { useMe } from "../data/context.ts";
import { fromFieldTime, toFieldTime } from "../data/times.ts";
import { useSearch } from "../data/use-search.ts";
import { useStaff } from "../data/use-staff.ts";
import { userParameters, useUserFilter } from "../data/use-user-filter.ts";
import { ChoiceFilter, Filters, TextFilter, UserTextFilter } from "../parts/filters.tsx";
import { Head } from "../parts/head.tsx";
import { NoMatch } from "../parts/no-match.tsx";
import { Pager } from "../parts/pager.tsx";
import { Loaded } from "../parts/states.tsx";
import { useTime, ZoneSwitch } from "../parts/time.tsx";
import { SessionTable } from "./session-rows.tsx";
import { RevokeManyButton } from "./sessions-revoke-many.tsx";
import { RevokeTokenButton } from "./token-revoke.tsx";

const names = ["ip", "user_agent", "created_before", "state"] as const;

/** The page that lists the sessions. */
export function SessionsPage(): ReactNode {
  const search = useSearch();
  const me = useMe();
  const { now } = useTime();
  const days = Number(search.get("unused_days")) || 0;
  // Whole days, so that the list isn't another one at every moment.
  const unusedSince = days === 0 ? "" : String((Math.floor(now / 3_600) - days * 24) * 3_600);
  const user = useUserFilter(search);
  const filter = {
    user: user.id,
    ...Object.fromEntries(names.map((name) => [name, search.get(name)])),
    state: search.get("state") || "live",
    unused_since: unusedSince,
  };
  const query = useStaff<Page<StaffSession>>(
    "sessions/",
    { ...filter, cursor: search.get("cursor") },
    { after: user.lookup },
  );
  const parameters = [...names, ...userParameters, "unused_days"];
  const used = parameters.filter((name) => search.get(name) !== "").length;
  return (
    <>
      <Head title="Sessions">
        {me.role === "admin" ? <RevokeTokenButton /> : null}
        {query.data !== undefined &&
        query.data.results.length > 0 &&
        filter.state === "live" &&
        me.permissions.includes("sessions.revoke-many") ? (
          <RevokeManyButton filter={filter} />
        ) : null}
      </Head>
      <Filters label="Sessions" used={used}>
        <UserTextFilter search={search} />
        <TextFilter search={search} name="ip" label="Address or network" placeholder="203.0.113.0/24" />
        <TextFilter search={search} name="user_agent" label="User agent contains" />
        <TextFilter
          search={search}
          name="created_before"
          label="Logged in before (UTC)"
          type="datetime-local"
          convert={{ toField: toFieldTime, fromField: fromFieldTime }}
        />
        <ChoiceFilter
          search={search}
          name="unused_days"
          label="Not used for"
          choices={[
            ["", "Any"],
            ["1", "1 day"],
            ["7", "7 days"],
            ["30", "30 days"],
          ]}
        />
        <ChoiceFilter
          search={search}
          name="state"
          label="State"
          choices={[
            ["", "Live"],
            ["ended", "Ended"],
          ]}
        />
      </Filters>
      <Loaded query={query}>
        {(page) => (
          <div className="card flush" aria-busy={query.isPlaceholderData}>
            {page.results.length === 0 ? (
              <NoMatch title="No session matches." search={search} filters={parameters} />
            ) : (
              <SessionTable
                sessions={page.results}
                caption={<caption className="vh">Sessions</caption>}
                hasUser
                mayRevoke={me.permissions.includes("sessions.revoke")}
              />
            )}
            <Pager page={page} search={search} noun="session" />
          </div>
        )}
      </Loaded>
      <ZoneSwitch />
    </>
  );
}
