import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Page, StaffAuditEntry, StaffUserDetail } from "../../staff/api.ts";
import { useSearch } from "../data/use-search.ts";
import { useStaff } from "../data/use-staff.ts";
import { EntryList, FollowState, useArrived } from "../parts/entry-list.tsx";
import { Empty, Loaded } from "../parts/states.tsx";

/** What happened to one user, newest first. */
export function UserTimeline({ user }: { readonly user: StaffUserDetail }): ReactNode {
  const search = useSearch();
  const isFollowing = search.get("follow") !== "no";
  const query = useStaff<Page<StaffAuditEntry>>("audit/", { user: user.id, page_size: 20 });
  const arrived = useArrived((entry) => entry.user?.id === user.id, isFollowing);
  const log = `/audit?user=${encodeURIComponent(user.id)}`;
  return (
    <section className="card flush" aria-labelledby="timeline-title">
      <div className="head">
        <h2 id="timeline-title">Timeline</h2>
        <div className="do">
          <button
            type="button"
            className="small"
            aria-pressed={isFollowing}
            onClick={() => search.set({ follow: isFollowing ? "no" : "" }, { replace: true })}
          >
            Follow
          </button>
          <Link href={log} className="button-link">
            In the audit log
          </Link>
        </div>
      </div>
      {arrived.waiting > 0 ? <FollowState arrived={arrived} isFollowing={isFollowing} /> : null}
      <Loaded query={query}>
        {({ results }) => {
          const entries = merge(arrived.shown, results);
          const fresh = new Set(arrived.shown.map(({ id }) => id));
          return entries.length === 0 ? (
            <Empty title="Nothing is recorded about this user." />
          ) : (
            <EntryList entries={entries} fresh={fresh} isOfUser />
          );
        }}
      </Loaded>
    </section>
  );
}

/** Returns the entries that have arrived before those that were read, each once. */
export function merge(
  arrived: readonly StaffAuditEntry[],
  read: readonly StaffAuditEntry[],
): readonly StaffAuditEntry[] {
  const known = new Set(read.map(({ id }) => id));
  return [...arrived.filter(({ id }) => !known.has(id)), ...read];
}
