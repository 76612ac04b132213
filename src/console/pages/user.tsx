import type { ReactNode } from "react";
import { Link } from "wouter";
import type { StaffUserDetail, UserAction } from "../../staff/api.ts";
import { useMe, useParts } from "../data/context.ts";
import { StaffError } from "../data/staff-error.ts";
import { useStaff } from "../data/use-staff.ts";
import { type Change, useChange } from "../parts/change.ts";
import { CopyButton } from "../parts/copy.tsx";
import { Head } from "../parts/head.tsx";
import { ActionsMenu } from "../parts/menu.tsx";
import { toName } from "../parts/names.ts";
import { Loaded } from "../parts/states.tsx";
import { Tag } from "../parts/tag.tsx";
import { Age, DateTime, ZoneSwitch } from "../parts/time.tsx";
import { toUserChanges } from "./user-changes.ts";
import { UserSessions } from "./user-sessions.tsx";
import { UserTimeline } from "./user-timeline.tsx";

type Changes = Readonly<Record<Exclude<UserAction, "revoke-session">, Change>>;

/** The page of one user. */
export function UserPage({ id }: { readonly id: string }): ReactNode {
  const query = useStaff<StaffUserDetail>(`users/${encodeURIComponent(id)}/`, {}, { every: 30 });
  const isMissing = query.error instanceof StaffError && query.error.status === 404;
  const user = isMissing ? undefined : query.data;
  // One head in every state, because it has the focus.
  return (
    <>
      <Trail name={user === undefined ? id : toName(user)} />
      <Head
        title={user !== undefined ? toName(user) : isMissing ? "No such user" : "User"}
        beside={user === undefined ? null : <UserTags user={user} />}
      >
        {user === undefined ? null : <UserActions user={user} />}
      </Head>
      {isMissing ? (
        <p>
          There is no user with this id. It may have been deleted: see{" "}
          <Link href={`/audit?user=${encodeURIComponent(id)}`}>its entries in the audit log</Link>.
        </p>
      ) : (
        <Loaded query={query}>{(loaded) => <Shown user={loaded} />}</Loaded>
      )}
    </>
  );
}

function Shown({ user }: { readonly user: StaffUserDetail }): ReactNode {
  const me = useMe();
  return (
    <>
      {user.id === me.id ? (
        <p className="quiet">
          You can't change your own account here. {me.role === "admin" ? "Another" : "An"} admin can, and so can the
          command line on the server.
        </p>
      ) : null}
      <div className="cols">
        <Account user={user} />
        <FailedLogins user={user} />
      </div>
      <UserSessions user={user} />
      <UserTimeline user={user} />
      <ZoneSwitch />
    </>
  );
}

function Trail({ name }: { readonly name: string }): ReactNode {
  return (
    <nav className="quiet trail" aria-label="Path">
      <Link href="/users">Users</Link> / <bdi>{name}</bdi>
    </nav>
  );
}

function useUserChanges(user: StaffUserDetail): Changes {
  const { api } = useParts();
  const me = useMe();
  return toUserChanges({ api, me, user, sessions: user.live_sessions });
}

function UserTags({ user }: { readonly user: StaffUserDetail }): ReactNode {
  const me = useMe();
  return (
    <>
      {user.is_active ? <Tag tone="good">active</Tag> : <Tag>disabled</Tag>}
      {user.role === null ? null : <Tag>{user.role}</Tag>}
      {user.id === me.id ? <Tag tone="mine">this is you</Tag> : null}
    </>
  );
}

function UserActions({ user }: { readonly user: StaffUserDetail }): ReactNode {
  const ask = useChange();
  const changes = useUserChanges(user);
  const may = (action: UserAction) => user.allowed.includes(action);
  return (
    <>
      {may("logout") ? (
        <button type="button" onClick={() => ask(changes.logout)}>
          Log out everywhere…
        </button>
      ) : null}
      {may("set-password") ? (
        <button type="button" onClick={() => ask(changes["set-password"])}>
          Set password…
        </button>
      ) : null}
      {may("disable") && user.is_active ? (
        <button type="button" className="danger" onClick={() => ask(changes.disable)}>
          Disable…
        </button>
      ) : null}
      {may("enable") && !user.is_active ? (
        <button type="button" onClick={() => ask(changes.enable)}>
          Enable…
        </button>
      ) : null}
      <ActionsMenu
        label="More actions"
        items={[
          ...(may("update") ? [{ text: "Change email address…", onSelect: () => ask(changes.update) }] : []),
          ...(may("role") ? [{ text: "Change role…", onSelect: () => ask(changes.role) }] : []),
          ...(may("unlock") ? [{ text: "Unlock…", onSelect: () => ask(changes.unlock) }] : []),
          ...(may("delete") ? [{ text: "Delete…", isDangerous: true, onSelect: () => ask(changes.delete) }] : []),
        ]}
      />
    </>
  );
}

function Account({ user }: { readonly user: StaffUserDetail }): ReactNode {
  const ask = useChange();
  const changes = useUserChanges(user);
  return (
    <section className="card">
      <h2>Account</h2>
      <dl className="facts">
        <dt>Id</dt>
        <dd>
          <span className="id">{user.id}</span> <CopyButton text={user.id} what="the id" />
        </dd>
        <dt>Email</dt>
        <dd dir="auto">{user.email ?? "none"}</dd>
        <dt>Role</dt>
        <dd>
          {user.role ?? "none"}{" "}
          {user.allowed.includes("role") ? (
            <button type="button" className="small" onClick={() => ask(changes.role)}>
              Change…
            </button>
          ) : null}
        </dd>
        <dt>Created</dt>
        <dd>
          <DateTime at={user.created_at} />
        </dd>
        <dt>Last login</dt>
        <dd>{user.last_login_at === null ? "never" : <Age at={user.last_login_at} />}</dd>
        <dt>Password</dt>
        <dd>{user.has_password ? (user.password_format ?? "set") : "none: the user can't log in with one"}</dd>
      </dl>
    </section>
  );
}

function FailedLogins({ user }: { readonly user: StaffUserDetail }): ReactNode {
  const ask = useChange();
  const changes = useUserChanges(user);
  const { account, limit, locked_for: lockedFor } = user.failed_logins;
  return (
    <section className="card">
      <h2>Failed logins</h2>
      <dl className="facts">
        <dt>On the account</dt>
        <dd>{limit === 0 ? account : `${account} of ${limit}`}</dd>
        <dt>New devices</dt>
        <dd>{lockedFor === "none" ? "can log in" : <Tag tone="caution">throttled</Tag>}</dd>
        <dt>Known devices</dt>
        <dd>{lockedFor === "all_devices" ? <Tag tone="bad">throttled</Tag> : "can log in"}</dd>
      </dl>
      {user.allowed.includes("unlock") && account > 0 ? (
        <p>
          <button type="button" className="small" onClick={() => ask(changes.unlock)}>
            Unlock…
          </button>
        </p>
      ) : null}
    </section>
  );
}
