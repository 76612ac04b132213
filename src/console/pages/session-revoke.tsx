import type { ReactNode } from "react";
import { toDeviceName } from "../../page/device-name.ts";
import type { Revoked, StaffSession } from "../../staff/api.ts";
import { useParts } from "../data/context.ts";
import { toRevokedResult, useChange } from "../parts/change.ts";
import { quoteName, toName } from "../parts/names.ts";

/** The button that revokes one session. */
export function RevokeButton({ session }: { readonly session: StaffSession }): ReactNode {
  const { api } = useParts();
  const ask = useChange();
  const device = quoteName(session.label ?? toDeviceName(session.user_agent));
  const username = quoteName(toName(session.user));
  return (
    <button
      type="button"
      className="small"
      aria-label={`Revoke the session of ${username} on ${device}`}
      onClick={() =>
        ask({
          title: `Revoke the session of ${username} on ${device}?`,
          consequences: ["Its tokens stop working on every node, within a second."],
          submit: "Revoke session",
          isDangerous: true,
          run: async ({ reason }) =>
            toRevokedResult(
              await api.send<Revoked>("DELETE", `sessions/${encodeURIComponent(session.id)}/`, { reason }),
              ` of ${username}`,
            ),
        })
      }
    >
      Revoke…
    </button>
  );
}
