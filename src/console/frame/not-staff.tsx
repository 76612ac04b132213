import type { ReactNode } from "react";
import { useSession } from "../../client/react.ts";
import { useParts } from "../data/context.ts";
import { Plain } from "./plain.tsx";

/** What a user without a role sees. */
export function NotStaff(): ReactNode {
  const { client } = useParts();
  const { user } = useSession(client);
  return (
    <Plain title="Not allowed">
      <section className="card login">
        <h1>This console is for staff</h1>
        <p>
          You are logged in as <b dir="auto">{user?.username}</b>, who has no role. An admin can give you one here. On
          the server, the command line can, too:
        </p>
        <p>
          <code className="id">tokenpair users role {user?.username} viewer</code>
        </p>
        <button type="button" onClick={() => void client.logout()}>
          Log out
        </button>
      </section>
    </Plain>
  );
}
