import type { ReactNode } from "react";
import type { StaffUser } from "../../staff/api.ts";
import { useMe, useParts } from "../data/context.ts";
import { type ChangeField, useChange } from "../parts/change.ts";
import { quoteName } from "../parts/names.ts";
import { toRoleChoices } from "./user-changes.ts";

/** The button that creates a user. */
export function CreateUserButton(): ReactNode {
  const { api } = useParts();
  const me = useMe();
  const ask = useChange();
  const mayGiveRoles = me.permissions.includes("staff.write");
  const fields: readonly ChangeField[] = [
    { name: "username", label: "Username" },
    { name: "email", label: "Email address", type: "email", isOptional: true },
    ...(mayGiveRoles ? [{ name: "role", label: "Role", choices: toRoleChoices(me.role) }] : []),
    { name: "generate", label: "Generate a password and show it once", type: "checkbox", value: "on" },
    { name: "password", label: "Password", type: "password", unless: "generate" },
  ];
  const open = () =>
    ask({
      title: "Create a user",
      consequences: ["The user can log in at once."],
      submit: "Create user",
      fields,
      async run({ username, email, role, generate, password, reason }) {
        const answer = await api.send<{ readonly user: StaffUser; readonly password: string | null }>(
          "POST",
          "users/",
          {
            username,
            ...(email && { email }),
            ...(role && { role }),
            ...(generate === undefined ? { password } : { generate: true }),
            reason,
          },
        );
        return {
          title: `${quoteName(username ?? "")} is created.`,
          ...(answer.password !== null && {
            secret: { label: `Password of ${quoteName(username ?? "")}`, text: answer.password },
          }),
        };
      },
    });
  return (
    <button type="button" className="primary" onClick={open}>
      Create user…
    </button>
  );
}
