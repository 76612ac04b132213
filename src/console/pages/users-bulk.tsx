import type { ReactNode } from "react";
import type { BulkResult, StaffUser } from "../../staff/api.ts";
import { useMe, useParts } from "../data/context.ts";
import { type Change, useChange } from "../parts/change.ts";
import { quoteName, toName } from "../parts/names.ts";

/** The props of `BulkBar`. */
export interface BulkBarProps {
  readonly users: readonly StaffUser[];
  /** Selects none. */
  readonly clear: () => void;
}

const actions = [
  ["logout", "Log out…", "Log out", "logged out", "All their sessions are revoked on every node, within a second."],
  ["unlock", "Unlock…", "Unlock", "unlocked", "Their counts of failed logins are cleared."],
  ["enable", "Enable…", "Enable", "enabled", "They can log in again."],
  [
    "disable",
    "Disable…",
    "Disable",
    "disabled",
    "Their sessions are revoked, and they can't log in until you enable them again.",
  ],
] as const;

/** What can be done with the selected users. */
export function BulkBar({ users, clear }: BulkBarProps): ReactNode {
  const { api } = useParts();
  const me = useMe();
  const ask = useChange();
  const names = users.map((user) => quoteName(toName(user)));
  const whom = users.length === 1 ? (names[0] ?? "") : `${users.length} users`;
  const toChange = ([action, , verb, done, consequence]: (typeof actions)[number]): Change => ({
    title: `${verb} ${whom}?`,
    consequences: [
      `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}.`,
      consequence,
    ],
    submit: verb,
    isDangerous: action === "disable" || action === "logout",
    needsConfirmation: action === "disable" || users.some(({ role }) => role === "admin"),
    async run({ reason }) {
      const ids = users.map(({ id }) => id);
      const { results } = await api.send<BulkResult>("POST", "users/bulk/", { action, ids, reason });
      const failed = results.filter(({ ok }) => !ok);
      const nameOf = (id: string) => names[ids.indexOf(id)] ?? id;
      clear();
      return {
        title: `${results.length - failed.length} of ${results.length} users ${done}.`,
        ...(failed.length > 0 && {
          description: failed.map(({ id, detail }) => `${nameOf(id)}: ${detail ?? "refused"}`).join(" "),
        }),
      };
    },
  });
  return (
    <section className="bulk" aria-label="Selected users">
      <b role="status">{users.length} selected</b>
      {actions
        .filter(([action]) => me.permissions.includes(action === "logout" ? "sessions.revoke" : "users.write"))
        .map((action) => (
          <button
            key={action[0]}
            type="button"
            className={action[0] === "disable" ? "small danger" : "small"}
            onClick={() => ask(toChange(action))}
          >
            {action[1]}
          </button>
        ))}
      <button type="button" className="small" onClick={clear}>
        Clear
      </button>
    </section>
  );
}
