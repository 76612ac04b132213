import type { ReactNode } from "react";
import type { StaffUser } from "../../staff/api.ts";
import { useMe, useParts } from "../data/context.ts";
import { useChange } from "../parts/change.ts";
import { ActionsMenu } from "../parts/menu.tsx";
import { quoteName, toName } from "../parts/names.ts";
import { toUserChanges } from "./user-changes.ts";

/** What can be done with a user in the list. The server decides; what can't succeed isn't offered. */
export function UserMenu({ user }: { readonly user: StaffUser }): ReactNode {
  const { api } = useParts();
  const me = useMe();
  const ask = useChange();
  if (user.id === me.id || (user.role !== null && me.role !== "admin")) return null;
  const changes = toUserChanges({ api, me, user });
  const mayWrite = me.permissions.includes("users.write");
  const mayRevoke = me.permissions.includes("sessions.revoke");
  return (
    <ActionsMenu
      isSmall
      label={`Actions for ${quoteName(toName(user))}`}
      items={[
        ...(mayRevoke ? [{ text: "Log out everywhere…", onSelect: () => ask(changes.logout) }] : []),
        ...(mayWrite
          ? [
              { text: "Unlock…", onSelect: () => ask(changes.unlock) },
              user.is_active
                ? { text: "Disable…", isDangerous: true, onSelect: () => ask(changes.disable) }
                : { text: "Enable…", onSelect: () => ask(changes.enable) },
            ]
          : []),
      ]}
    />
  );
}
