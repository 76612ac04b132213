import type { Role } from "../role.ts";
import type { User } from "../user.ts";
import type { AuditEntry } from "./audit.ts";

/** The position of a row in a list: the values by which the list is sorted. */
export type ListKey = readonly (string | number)[];

/** Which part of a list to read. */
export interface ListPart {
  /** The row at which the part begins, which is not part of it. `null`: the first row of the list. */
  readonly from: ListKey | null;
  /** Whether to read the rows before `from` instead of those after it. */
  readonly isBackward: boolean;
  /** The maximum number of rows to return. */
  readonly limit: number;
  /**
   * The maximum number of rows to look at. A rare value of a filter without an index may not be among them: then `end` says how far
   * the search came.
   */
  readonly scan: number;
  /** Whether to count the rows that match, if the part isn't all of them. Default: false. */
  readonly isCounted?: boolean;
}

/** A part of a list. */
export interface ListResult<T> {
  /** The rows, in the list's order, each with its position. */
  readonly rows: readonly { readonly key: ListKey; readonly row: T }[];
  /** The position from which to read on, or `null` if there are no more rows in this direction. */
  readonly end: ListKey | null;
  /** How many rows match, at most 10,000: then there may be more. Missing if it would take too long to count them. */
  readonly count?: number;
}

/** Which users to list. Newest first; with a search, by name or by email address. */
export interface UserFilter {
  /** Only the user with this username key. */
  readonly nameKey?: string | undefined;
  /** Only users whose username key begins with this text. */
  readonly namePrefix?: string | undefined;
  /** Only users whose email address begins with this text. ASCII letters count without regard to case. */
  readonly emailPrefix?: string | undefined;
  /** Only active, or only inactive users. */
  readonly isActive?: boolean | undefined;
  /** Only users with this role, or with `none`. */
  readonly role?: Role | "none" | undefined;
}

/** Which sessions to list, newest first. */
export interface SessionFilter {
  /** Only sessions of this user. */
  readonly userId?: string | undefined;
  /** Only sessions that were last used from one of these addresses. */
  readonly ips?: readonly string[] | undefined;
  /** Only sessions whose address begins with one of these texts, such as "203.0.113.", the beginning of a network. */
  readonly ipPrefixes?: readonly string[] | undefined;
  /** Only sessions whose user agent contains this text. ASCII letters count without regard to case. */
  readonly userAgent?: string | undefined;
  /** Only sessions of logins before this time. */
  readonly createdBefore?: number | undefined;
  /** Only sessions that haven't been used since this time. */
  readonly unusedSince?: number | undefined;
  /** Default: live and ended sessions. */
  readonly state?: "live" | "ended" | undefined;
}

/** A session in a list of the staff. Times are whole seconds since the epoch. */
export interface ListedSession {
  /** The session's id. */
  readonly id: string;
  /** The user who logged in. */
  readonly userId: string;
  /** The user's name. `null` if the user no longer exists, and empty for users of the application's own table. */
  readonly username: string | null;
  /** When the user logged in. */
  readonly createdAt: number;
  /** When the user last logged in or refreshed. */
  readonly lastUsedAt: number;
  /** When the session expires if it is not refreshed. */
  readonly expiresAt: number;
  /** How often the session has been rotated. */
  readonly generation: number;
  /** The client's address at the last login or refresh. */
  readonly ip: string | null;
  /** The `User-Agent` header of the last login or refresh. */
  readonly userAgent: string | null;
  /** The name that the user gave the session. */
  readonly label: string | null;
  /** Who acts for the user in the session. */
  readonly actor: string | null;
  /** Whether it can still be refreshed. */
  readonly isLive: boolean;
  /** When the session was revoked. `null` if its row was not changed. */
  readonly revokedAt: number | null;
  /** Why the session was revoked. */
  readonly revokeReason: string | null;
}

/** The types of events that need a look of the staff. They are rare, so the stores have an index of their entries. */
export const alarmTypes: readonly string[] = ["throttled", "webhook_failed", "store_unwritable", "new_device"];

/** Which audit entries to list, newest first. */
export interface AuditFilter {
  /** Only events of these types. */
  readonly types?: readonly string[] | undefined;
  /** Only events about this user. */
  readonly userId?: string | undefined;
  /** Only events about this session. */
  readonly sessionId?: string | undefined;
  /** Only events that this address caused. */
  readonly ip?: string | undefined;
  /** Only events that this actor caused. */
  readonly actor?: string | undefined;
  /** Only entries with this reason. */
  readonly reason?: string | undefined;
  /** Only entries with an actor. */
  readonly hasActor?: boolean | undefined;
  /** Only entries from this time on. */
  readonly since?: number | undefined;
  /** Only entries before this time. */
  readonly before?: number | undefined;
}

/** An audit entry in a list of the staff. */
export interface ListedAuditEntry extends AuditEntry {
  /** The name of the user whom it is about. `null` if there is none, the user no longer exists, or is in the application's own table. */
  readonly username: string | null;
}

/** What a node reports about itself. */
export interface NodeReport {
  /** The id of the node's process. */
  readonly id: string;
  /** When it reported, in whole seconds since the epoch. */
  readonly reportedAt: number;
  /** What it reported: JSON. Another version may have written it. */
  readonly body: string;
}

/** How many sessions are live, and how many users they have. */
export interface LiveCounts {
  /** The number of live sessions. */
  readonly sessions: number;
  /** The number of users with a live session. */
  readonly users: number;
}

/** The lists of the staff, in pages, and the reports of nodes. */
export interface StaffStore {
  /** Lists users. */
  users(filter: UserFilter, part: ListPart): Promise<ListResult<User>>;
  /** Lists sessions. */
  sessions(filter: SessionFilter, part: ListPart): Promise<ListResult<ListedSession>>;
  /** Lists audit entries. */
  audit(filter: AuditFilter, part: ListPart): Promise<ListResult<ListedAuditEntry>>;
  /** Returns the names of users by id. Users who don't exist are missing. */
  names(userIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Counts the live sessions. It reads all of them, so don't call it at every request. */
  countLive(): Promise<LiveCounts>;
  /** Replaces a node's report, and deletes reports that are older than an hour. */
  report(report: Pick<NodeReport, "id" | "body">): Promise<void>;
  /** Deletes the report of a node that stops. */
  forgetReport(id: string): Promise<void>;
  /** Returns the reports of the last hour, with the database's time. */
  reports(): Promise<{ readonly reports: readonly NodeReport[]; readonly now: number }>;
}
