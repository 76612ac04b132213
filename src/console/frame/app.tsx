import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { useSession } from "../../client/react.ts";
import type { StaffMe } from "../../staff/api.ts";
import { MeContext, useParts } from "../data/context.ts";
import { StaffError } from "../data/staff-error.ts";
import { useStaff } from "../data/use-staff.ts";
import { ChangeProvider } from "../parts/change-dialog.tsx";
import { Failure, Loading } from "../parts/states.tsx";
import { TimeProvider } from "../parts/time.tsx";
import { Toasts } from "../parts/toasts.tsx";
import { Frame } from "./frame.tsx";
import { Login } from "./login.tsx";
import { NotStaff } from "./not-staff.tsx";
import { Plain } from "./plain.tsx";

/** The console: the login, or the pages. */
export function App(): ReactNode {
  const { client } = useParts();
  const queries = useQueryClient();
  const { status, sessionId, reason, problem } = useSession(client);
  // Nothing of one user is shown to the next.
  useEffect(() => {
    if (sessionId === undefined) queries.clear();
  }, [sessionId, queries]);
  if (status === "loading") return <Plain title="Console">{problem === undefined ? <Loading /> : <Problem />}</Plain>;
  if (status === "anonymous") return <Login reason={reason} />;
  return <Staff key={sessionId} />;
}

function Problem(): ReactNode {
  const { client } = useParts();
  return (
    <Failure error={new StaffError({ status: 0, code: "offline", text: "" })} retry={() => void client.reload()} />
  );
}

function Staff(): ReactNode {
  const { clock, live } = useParts();
  const me = useStaff<StaffMe>("me/", {}, { every: 60 });
  const isMember = me.data !== undefined;
  useEffect(() => {
    if (me.data !== undefined) clock.adjust(me.data.now);
  }, [me.data, clock]);
  useEffect(() => (isMember ? live.start() : undefined), [isMember, live]);
  if (me.error instanceof StaffError && me.error.status === 403) return <NotStaff />;
  if (me.data === undefined) {
    return (
      <Plain title="Console">
        {me.isError ? <Failure error={me.error} retry={() => void me.refetch()} /> : <Loading />}
      </Plain>
    );
  }
  return (
    <MeContext value={me.data}>
      <TimeProvider>
        <Toasts>
          <ChangeProvider>
            <Frame />
          </ChangeProvider>
        </Toasts>
      </TimeProvider>
    </MeContext>
  );
}
