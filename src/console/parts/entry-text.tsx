import type { ReactNode } from "react";
import { Link } from "wouter";
import { toDeviceName } from "../../page/device-name.ts";
import type { StaffAuditEntry } from "../../staff/api.ts";
import { type Named, toName } from "./names.ts";
import { Tag, type Tone } from "./tag.tsx";

/** The words for what happened, by the entry's type. Other types are shown with spaces. */
const labels: Readonly<Record<string, readonly [string, Tone]>> = {
  login: ["login", "good"],
  new_device: ["new device", "caution"],
  login_pending: ["second factor asked", "plain"],
  session_confirmed: ["confirmed", "good"],
  login_failed: ["login failed", "caution"],
  refresh: ["refresh", "plain"],
  sessions_revoked: ["sessions revoked", "plain"],
  token_revoked: ["token revoked", "plain"],
  throttled: ["throttled", "caution"],
  csrf_refused: ["CSRF refused", "caution"],
  webhook_failed: ["webhook failed", "caution"],
  store_unwritable: ["store unwritable", "bad"],
  audit_dropped: ["audit entries dropped", "bad"],
  staff_refused: ["staff refused", "caution"],
};

const outcomes: Readonly<Record<string, readonly [string, Tone]>> = {
  reuse_detected: ["reuse detected", "bad"],
  state_lost: ["state lost", "caution"],
  refused: ["refresh refused", "caution"],
};

/** The reasons of a revocation, in words. */
const reasons: Readonly<Record<string, string>> = {
  logout: "logged out",
  replaced: "replaced by a new login",
  reuse: "reuse detected",
  revoked: "revoked",
  password_changed: "password changed",
  user_disabled: "user disabled",
  user_deleted: "user deleted",
  limit: "too many sessions",
};

/** Returns the reason of a revocation in words. */
export const toReasonText = (reason: string): string => reasons[reason] ?? reason.replaceAll("_", " ");

/** Returns the label of an entry's type for lists of types. */
export const toTypeText = (type: string): string => labels[type]?.[0] ?? type.replaceAll("_", " ");

/** Shows what an entry of the audit log says, as one sentence. `isOfUser`: the user is known and isn't named. */
export function EntryText({
  entry,
  isOfUser = false,
}: {
  readonly entry: StaffAuditEntry;
  readonly isOfUser?: boolean;
}): ReactNode {
  const [label, tone] = toLabel(entry);
  const { user, ip, user_agent: userAgent, actor, note } = entry;
  const about = toAbout(entry);
  const from = [ip, userAgent === null ? null : toDeviceName(userAgent)].filter((part) => part !== null);
  return (
    <p dir="auto">
      <Tag tone={tone}>{label}</Tag>{" "}
      {user === null || isOfUser ? null : (
        <>
          <UserLink user={user} />
          {about === "" ? (actor === null ? " " : ", ") : ": "}
        </>
      )}
      {about === "" ? null : `${about} `}
      {actor === null ? null : (
        <>
          by <b dir="auto">{actor.replace(/^staff\//, "")}</b>
          {note === null ? " " : ": "}
        </>
      )}
      {note === null ? null : <bdi>“{note}” </bdi>}
      {from.length === 0 ? null : <span className="quiet">{from.join(", ")}</span>}
    </p>
  );
}

/** Leads to the page of a user. */
export function UserLink({ user }: { readonly user: Named }): ReactNode {
  return (
    <Link href={toUserPath(user.id)} dir="auto">
      {toName(user)}
    </Link>
  );
}

/** Returns the path of a user's page. */
export const toUserPath = (id: string): string => `/users/${encodeURIComponent(id)}`;

function toLabel({ type, reason, details }: StaffAuditEntry): readonly [string, Tone] {
  const outcome = details["outcome"];
  if (type === "refresh" && typeof outcome === "string")
    return outcomes[outcome] ?? [outcome.replaceAll("_", " "), "plain"];
  if (type === "sessions_revoked" && reason === "reuse") return ["reuse detected", "bad"];
  const change = details["change"];
  if (type === "user_changed" && typeof change === "string") return [change.replaceAll("_", " "), "plain"];
  return labels[type] ?? [type.replaceAll("_", " "), "plain"];
}

function toAbout({ type, reason, details }: StaffAuditEntry): string {
  const sessions = details["sessions"];
  const count = typeof sessions === "number" ? `${sessions} session${sessions === 1 ? "" : "s"}` : "";
  if (type === "sessions_revoked") {
    if (reason === "reuse") return "a spent refresh token was presented; the session was revoked";
    return [count, reason === null || reason === "revoked" ? "" : toReasonText(reason)].filter(Boolean).join(", ");
  }
  if (type === "throttled") {
    const { scope, retryAfter } = details;
    return `${String(scope ?? "")} limit${typeof retryAfter === "number" ? `, retry in ${retryAfter} s` : ""}`;
  }
  if (type === "unlocked" && typeof details["ip"] === "string") return details["ip"];
  return reason === null ? "" : reason.replaceAll("_", " ");
}
