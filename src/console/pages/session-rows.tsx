import type { ReactNode } from "react";
import { toDeviceName } from "../../page/device-name.ts";
import type { StaffSession } from "../../staff/api.ts";
import { useMe } from "../data/context.ts";
import { toReasonText, UserLink } from "../parts/entry-text.tsx";
import { Scroll } from "../parts/scroll.tsx";
import { Tag } from "../parts/tag.tsx";
import { Age, Until, useTime } from "../parts/time.tsx";
import { RevokeButton } from "./session-revoke.tsx";

/** The props of `SessionTable`. */
export interface SessionTableProps {
  readonly sessions: readonly StaffSession[];
  readonly caption: ReactNode;
  /** Whether the rows name the user. */
  readonly hasUser: boolean;
  /** Whether the caller may revoke sessions. */
  readonly mayRevoke: boolean;
}

/** A table of sessions. */
export function SessionTable({ sessions, caption, hasUser, mayRevoke }: SessionTableProps): ReactNode {
  return (
    <Scroll label="Sessions">
      <table className="cards">
        {caption}
        <thead>
          <tr>
            {hasUser ? <th scope="col">User</th> : null}
            <th scope="col">Device</th>
            <th scope="col">Address</th>
            <th scope="col">Logged in</th>
            <th scope="col">Last used</th>
            <th scope="col" className="n">
              Refreshes
            </th>
            <th scope="col">Expires</th>
            <th scope="col">
              <span className="vh">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {sessions.map((session) => (
            <SessionRow key={session.id} session={session} hasUser={hasUser} mayRevoke={mayRevoke} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function SessionRow({
  session,
  hasUser,
  mayRevoke,
}: Pick<SessionTableProps, "hasUser" | "mayRevoke"> & { readonly session: StaffSession }): ReactNode {
  const me = useMe();
  const device = (
    <>
      <bdi>{session.label ?? toDeviceName(session.user_agent)}</bdi>{" "}
      {session.current ? <Tag tone="mine">this is you</Tag> : null}
      {session.actor === null ? null : (
        <Tag tone="caution">
          <bdi>{session.actor}</bdi> acts
        </Tag>
      )}
      <br />
      <span className="id" title={session.id}>
        {/* Its beginning is a time, which sessions may share. */}…{session.id.slice(-12)}
      </span>
    </>
  );
  // Members of the staff log themselves out with the button at the top.
  const isRevocable = mayRevoke && session.is_live && session.user.id !== me.id;
  return (
    <tr>
      {hasUser ? (
        <>
          <th scope="row">
            <UserLink user={session.user} />
          </th>
          <td data-l="Device" className="device">
            {device}
          </td>
        </>
      ) : (
        <th scope="row">{device}</th>
      )}
      <td data-l="Address">{session.ip ?? "unknown"}</td>
      <td data-l="Logged in">
        <Age at={session.created_at} />
      </td>
      <td data-l="Last used">
        <Age at={session.last_used_at} />
      </td>
      <td className="n" data-l="Refreshes">
        {session.generation}
      </td>
      <td data-l={session.is_live ? "Expires" : "State"}>
        <End session={session} />
      </td>
      <td className="n">{isRevocable ? <RevokeButton session={session} /> : null}</td>
    </tr>
  );
}

function End({ session }: { readonly session: StaffSession }): ReactNode {
  const { is_live: isLive, revoked_at: revokedAt, revoke_reason: reason, expires_at: expiresAt } = session;
  const { now } = useTime();
  if (isLive) return <Until at={expiresAt} />;
  // Revoking all or all other sessions of a user doesn't change their rows. The timeline says when and why.
  if (revokedAt === null) return <Tag>{expiresAt > now ? "revoked with others" : "expired"}</Tag>;
  const text = reason === null ? "revoked" : toReasonText(reason);
  return (
    <Tag tone={reason === "reuse" ? "bad" : "plain"}>
      {text}, <Age at={revokedAt} />
    </Tag>
  );
}
