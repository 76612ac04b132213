import type { ReactNode } from "react";
import type { StaffAuditEntry } from "../../staff/api.ts";
import { useMe, useParts } from "../data/context.ts";
import { useChange } from "./change.ts";

/** The button that unlocks the address of a failed login or of a login that was throttled. */
export function UnlockAddressButton({ entry }: { readonly entry: StaffAuditEntry }): ReactNode {
  const { api } = useParts();
  const me = useMe();
  const ask = useChange();
  const { ip } = entry;
  if (ip === null || !isAboutLogin(entry) || !me.permissions.includes("users.write")) return null;
  const open = () =>
    ask({
      title: `Unlock ${ip}?`,
      consequences: [
        "The counts of failed logins from this address are cleared, on all accounts. For IPv6, from its whole /64 network.",
        "They begin again with the next failed login.",
      ],
      submit: "Unlock address",
      async run({ reason }) {
        const { cleared } = await api.send<{ readonly cleared: number }>("POST", "addresses/unlock/", { ip, reason });
        return {
          title: `${ip} is unlocked.`,
          ...(cleared === 0 && { description: "No failed logins were counted for it any more." }),
        };
      },
    });
  return (
    <button type="button" className="small" onClick={open}>
      Unlock {ip}…
    </button>
  );
}

function isAboutLogin({ type, details }: StaffAuditEntry): boolean {
  return type === "login_failed" || (type === "throttled" && ["address", "pair"].includes(String(details["scope"])));
}
