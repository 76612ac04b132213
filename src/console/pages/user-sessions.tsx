import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Page, StaffSession, StaffUserDetail } from "../../staff/api.ts";
import { useSearch } from "../data/use-search.ts";
import { useStaff } from "../data/use-staff.ts";
import { toName } from "../parts/names.ts";
import { Empty, Loaded } from "../parts/states.tsx";
import { SessionTable } from "./session-rows.tsx";

/** The sessions of one user: those that are live, and the last ones that aren't. */
export function UserSessions({ user }: { readonly user: StaffUserDetail }): ReactNode {
  const search = useSearch();
  const state = search.get("sessions");
  const query = useStaff<Page<StaffSession>>("sessions/", { user: user.id, state, page_size: 20 }, { every: 15 });
  const all = `/sessions?user=${encodeURIComponent(user.id)}`;
  return (
    <section className="card flush" aria-labelledby="sessions-title">
      <div className="head">
        <h2 id="sessions-title">
          Sessions <span className="quiet">· {user.live_sessions} live</span>
        </h2>
        <div className="do">
          <label className="inline">
            <span className="vh">Which sessions</span>
            <select value={state} onChange={({ target }) => search.set({ sessions: target.value })}>
              <option value="">Live and ended</option>
              <option value="live">Live</option>
              <option value="ended">Ended</option>
            </select>
          </label>
        </div>
      </div>
      <Loaded query={query}>
        {(page) => (
          <>
            {page.results.length === 0 ? (
              <Empty title="No sessions." />
            ) : (
              <SessionTable
                sessions={page.results}
                caption={
                  <caption className="vh">
                    Sessions of <bdi>{toName(user)}</bdi>
                  </caption>
                }
                hasUser={false}
                mayRevoke={user.allowed.includes("revoke-session")}
              />
            )}
            {page.next === null ? null : (
              <div className="pager">
                <span className="quiet">The newest 20.</span>
                <Link href={all}>All sessions of this user</Link>
              </div>
            )}
          </>
        )}
      </Loaded>
    </section>
  );
}
