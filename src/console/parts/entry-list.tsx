import { type ReactNode, useCallback, useRef, useState } from "react";
import type { StaffAuditEntry } from "../../staff/api.ts";
import { toIso } from "../data/times.ts";
import { useEntries, useLiveState } from "../data/use-staff.ts";
import { EntryText } from "./entry-text.tsx";
import { Moment } from "./time.tsx";
import { UnlockAddressButton } from "./unlock-address.tsx";

/** The entries that have arrived since the list was read. */
export interface Arrived {
  /** The entries that are shown, newest first. */
  readonly shown: readonly StaffAuditEntry[];
  /** How many wait until the reader wants to see them. */
  readonly waiting: number;
  /** Shows those that wait. */
  show(): void;
}

/** The most entries that are kept. */
const most = 200;

/**
 * Collects new entries. They are shown at once only if that moves nothing that the reader looks at: at the top of the page, while
 * neither the pointer nor the focus is in the list.
 */
export function useArrived(matches: (entry: StaffAuditEntry) => boolean, isFollowing: boolean): Arrived {
  const [shown, setShown] = useState<readonly StaffAuditEntry[]>([]);
  const [waiting, setWaiting] = useState<readonly StaffAuditEntry[]>([]);
  const test = useRef(matches);
  test.current = matches;
  useEntries(
    useCallback(
      (entry: StaffAuditEntry) => {
        if (!isFollowing || !test.current(entry)) return;
        const add = isUndisturbed() ? setShown : setWaiting;
        add((before) => (before.some(({ id }) => id === entry.id) ? before : [entry, ...before].slice(0, most)));
      },
      [isFollowing],
    ),
  );
  const show = useCallback(() => {
    setWaiting((entries) => {
      setShown((before) => [...entries, ...before.filter(({ id }) => !entries.some((one) => one.id === id))]);
      return [];
    });
  }, []);
  return { shown, waiting: waiting.length, show };
}

function isUndisturbed(): boolean {
  const list = document.querySelector(".line");
  return scrollY < 4 && list !== null && !list.matches(":hover") && !list.contains(document.activeElement);
}

/** Says whether the list follows the log, and how many new entries wait. */
export function FollowState({
  arrived,
  isFollowing,
}: {
  readonly arrived: Arrived;
  readonly isFollowing: boolean;
}): ReactNode {
  const live = useLiveState();
  if (!isFollowing) return null;
  const { waiting, show } = arrived;
  const isLive = live === "live";
  return (
    <p className={!isLive ? "state caution" : waiting > 0 ? "state" : "quiet following"} role="status">
      {isLive
        ? "Following."
        : live === "connecting"
          ? "Connecting…"
          : "Not following: no connection. Trying again shortly."}
      {waiting === 0 ? null : (
        <>
          {" "}
          {waiting} new.{" "}
          <button type="button" className="small" onClick={show}>
            Show {waiting === 1 ? "it" : "them"}
          </button>
        </>
      )}
    </p>
  );
}

/** The props of `EntryList`. */
export interface EntryListProps {
  readonly entries: readonly StaffAuditEntry[];
  /** The entries that arrived while the page was open. */
  readonly fresh?: ReadonlySet<number>;
  /** Whether the entries are all about one user, who isn't named then. */
  readonly isOfUser?: boolean;
}

/** A list of entries of the audit log, each with its details. */
export function EntryList({ entries, fresh = new Set(), isOfUser = false }: EntryListProps): ReactNode {
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const toggle = (id: number) =>
    setOpen((before) => new Set(before.has(id) ? [...before].filter((one) => one !== id) : [...before, id]));
  return (
    <ul className="line wide">
      {entries.map((entry) => (
        <li key={entry.id} className={fresh.has(entry.id) ? "new" : undefined}>
          <Moment at={entry.time} />
          <EntryText entry={entry} isOfUser={isOfUser} />
          <button
            type="button"
            className="small fold"
            aria-expanded={open.has(entry.id)}
            aria-controls={open.has(entry.id) ? `entry-${entry.id}` : undefined}
            onClick={() => toggle(entry.id)}
          >
            Details
          </button>
          {open.has(entry.id) ? (
            <div className="detail" id={`entry-${entry.id}`}>
              <pre className="id">{toDetails(entry)}</pre>
              <UnlockAddressButton entry={entry} />
            </div>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

function toDetails({ details, user, ...entry }: StaffAuditEntry): string {
  const { ip: address, ...others } = details;
  const facts = { ...entry, time: toIso(entry.time), user: user?.id ?? null, address, ...others };
  return Object.entries(facts)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`)
    .join("\n");
}
