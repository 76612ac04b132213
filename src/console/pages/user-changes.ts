import type { Revoked, StaffMe, StaffRole, StaffUser, UserAction } from "../../staff/api.ts";
import type { StaffApi } from "../data/staff-api.ts";
import { type Change, type ChangeResult, toRevokedResult } from "../parts/change.ts";
import { quoteName, toName } from "../parts/names.ts";

/** What the changes of a user need. */
export interface UserSubject {
  readonly api: StaffApi;
  readonly me: StaffMe;
  readonly user: StaffUser;
  /** How many live sessions the user has, if that is known. */
  readonly sessions?: number;
}

const ranks: readonly StaffRole[] = ["viewer", "support", "admin"];

/** What each role may do, in a few words. */
const duties: Readonly<Record<StaffRole, string>> = {
  viewer: "reads",
  support: "also revokes, and changes users",
  admin: "everything",
};

/** Returns the changes that can be made to a user, by what they do. */
export function toUserChanges(subject: UserSubject): Readonly<Record<Exclude<UserAction, "revoke-session">, Change>> {
  const { api, me, user, sessions } = subject;
  const name = quoteName(toName(user));
  const path = `users/${encodeURIComponent(user.id)}/`;
  const isAdmin = user.role === "admin";
  const revokes =
    sessions === undefined
      ? "All sessions are revoked on every node, within a second."
      : sessions === 0
        ? `${name} has no live sessions now.`
        : `${sessions === 1 ? "1 session is" : `${sessions} sessions are`} revoked on every node, within a second.`;
  return {
    logout: {
      title: `Log out ${name} everywhere?`,
      consequences: [revokes, `${name} can log in again with the password.`],
      submit: "Log out everywhere",
      isDangerous: true,
      needsConfirmation: isAdmin,
      run: async ({ reason }) =>
        toRevokedResult(await api.send<Revoked>("POST", `${path}logout/`, { reason }), ` of ${name}`),
    },
    disable: {
      title: `Disable ${name}?`,
      consequences: [revokes, `${name} can't log in until you enable the account again.`],
      submit: `Disable ${shorten(name)}`,
      isDangerous: true,
      needsConfirmation: true,
      async run({ reason }) {
        const revoked = toRevokedResult(await api.send<Revoked>("POST", `${path}disable/`, { reason }));
        return { title: `${name} is disabled.`, description: join(revoked) };
      },
    },
    enable: {
      title: `Enable ${name}?`,
      consequences: [`${name} can log in again.`],
      submit: `Enable ${shorten(name)}`,
      needsConfirmation: isAdmin,
      async run({ reason }) {
        await api.send("POST", `${path}enable/`, { reason });
        return { title: `${name} is enabled.` };
      },
    },
    unlock: {
      title: `Unlock ${name}?`,
      consequences: ["The count of failed logins is cleared. It begins again with the next failed login."],
      submit: `Unlock ${shorten(name)}`,
      needsConfirmation: isAdmin,
      async run({ reason }) {
        await api.send("POST", `${path}unlock/`, { reason });
        return { title: `${name} is unlocked.` };
      },
    },
    "set-password": {
      title: `Set a password for ${name}?`,
      consequences: [revokes, "The old password no longer works."],
      submit: "Set password",
      isDangerous: true,
      needsConfirmation: true,
      fields: [
        { name: "generate", label: "Generate a password and show it once", type: "checkbox", value: "on" },
        { name: "password", label: "New password", type: "password", unless: "generate" },
      ],
      async run({ reason, generate, password }) {
        const choice = generate === undefined ? { password } : { generate: true };
        const body = { ...choice, reason };
        const answer = await api.send<Revoked & { readonly password: string | null }>(
          "POST",
          `${path}set-password/`,
          body,
        );
        const revoked = toRevokedResult(answer);
        return {
          title: `${name} has a new password.`,
          description: join(revoked),
          ...(answer.password !== null && { secret: { label: `New password of ${name}`, text: answer.password } }),
        };
      },
    },
    update: {
      title: `Change the email address of ${name}?`,
      consequences: ["Sessions are not revoked."],
      submit: "Change address",
      needsConfirmation: isAdmin,
      fields: [{ name: "email", label: "Email address", type: "email", value: user.email ?? "", isOptional: true }],
      async run({ reason, email }) {
        await api.send("PATCH", path, { email: email || null, reason });
        return { title: `The email address of ${name} is changed.` };
      },
    },
    role: {
      title: `Change the role of ${name}?`,
      consequences: ["It counts from the next request on."],
      submit: "Change role",
      needsConfirmation: true,
      fields: [{ name: "role", label: "Role", value: user.role ?? "", choices: toRoleChoices(me.role) }],
      async run({ reason, role }) {
        await api.send("PATCH", path, { role: role || null, reason });
        return { title: role ? `${name} is now ${role}.` : `${name} has no role now.` };
      },
    },
    delete: {
      title: `Delete ${name}?`,
      consequences: [revokes, "The account is deleted for good. The audit log keeps its entries."],
      submit: `Delete ${shorten(name)}`,
      isDangerous: true,
      needsConfirmation: true,
      fields: [{ name: "username", label: "Username", hint: `Enter ${name} to confirm.`, expected: user.username }],
      async run({ reason, username }) {
        const revoked = toRevokedResult(await api.send<Revoked>("DELETE", path, { username, reason }));
        return { title: `${name} is deleted.`, description: join(revoked) };
      },
    },
  };
}

/** Returns the roles that a member may give, with their texts. */
export function toRoleChoices(own: StaffRole): readonly (readonly [string, string])[] {
  const allowed = ranks.slice(0, ranks.indexOf(own) + 1);
  return [["", "none: can't use the console"], ...allowed.map((role) => [role, `${role}: ${duties[role]}`] as const)];
}

const join = ({ title, description }: ChangeResult) => [title, description].filter(Boolean).join(" ");

/** A button's text isn't a place for a name of 150 characters. */
const shorten = (name: string) => (name.length > 24 ? `${name.slice(0, 23)}…` : name);
