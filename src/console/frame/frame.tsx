import { type ReactNode, useEffect, useState } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { useSession } from "../../client/react.ts";
import { problemMessages } from "../../page/messages.ts";
import type { StaffHealth } from "../../staff/api.ts";
import { useMe, useParts } from "../data/context.ts";
import { toErrorText } from "../data/staff-error.ts";
import { toCountdown } from "../data/times.ts";
import { useStaff } from "../data/use-staff.ts";
import { AuditPage } from "../pages/audit.tsx";
import { HealthPage } from "../pages/health.tsx";
import { KeysPage } from "../pages/keys.tsx";
import { NotFoundPage } from "../pages/not-found.tsx";
import { OverviewPage } from "../pages/overview.tsx";
import { SessionsPage } from "../pages/sessions.tsx";
import { UserPage } from "../pages/user.tsx";
import { UsersPage } from "../pages/users.tsx";
import { Tag } from "../parts/tag.tsx";
import { useToast } from "../parts/toasts.tsx";
import { Brand } from "./brand.tsx";

const rooms = [
  ["/", "Overview"],
  ["/users", "Users"],
  ["/sessions", "Sessions"],
  ["/audit", "Audit"],
  ["/keys", "Keys"],
  ["/health", "Health"],
] as const;

/** What every page has around it: who is logged in, the navigation, and problems with the connection. */
export function Frame(): ReactNode {
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <Bar />
      <div className="shell">
        <Rail />
        <main id="main" tabIndex={-1}>
          <Connection />
          <Switch>
            <Route path="/">
              <OverviewPage />
            </Route>
            <Route path="/users">
              <UsersPage />
            </Route>
            <Route path="/users/:id">{({ id }) => <UserPage key={id} id={decodeURIComponent(id)} />}</Route>
            <Route path="/sessions">
              <SessionsPage />
            </Route>
            <Route path="/audit">
              <AuditPage />
            </Route>
            <Route path="/keys">
              <KeysPage />
            </Route>
            <Route path="/health">
              <HealthPage />
            </Route>
            <Route>
              <NotFoundPage />
            </Route>
          </Switch>
        </main>
      </div>
    </>
  );
}

function Bar(): ReactNode {
  const { client } = useParts();
  const me = useMe();
  const toast = useToast();
  const logOut = () => client.logout().catch((error: unknown) => toast("You are still logged in.", toErrorText(error)));
  return (
    <header className="bar">
      <Brand />
      <div className="me">
        <span>
          <b dir="auto">{me.username}</b> <Tag>{me.role}</Tag>
        </span>
        <Confirmed until={me.confirmed_until} />
        <button type="button" className="small leave" onClick={() => void logOut()}>
          Log out
        </button>
      </div>
    </header>
  );
}

/** Counts down how long dangerous actions need no password. */
function Confirmed({ until }: { readonly until: number }): ReactNode {
  const { clock } = useParts();
  const [now, setNow] = useState(() => clock.now());
  const isOver = until <= now;
  useEffect(() => {
    setNow(clock.now());
    if (until <= clock.now()) return;
    const timer = setInterval(() => setNow(clock.now()), 1_000);
    return () => clearInterval(timer);
  }, [until, clock]);
  return isOver ? null : <Tag tone="good">Confirmed · no password needed for {toCountdown(until - now)}</Tag>;
}

function Rail(): ReactNode {
  const [path] = useLocation();
  return (
    <nav className="rail" aria-label="Console">
      <ul>
        {rooms.map(([href, text]) => {
          const isHere = href === "/" ? path === "/" : path === href || path.startsWith(`${href}/`);
          return (
            <li key={href}>
              <Link href={href} aria-current={isHere ? "page" : undefined}>
                {text}
                {href === "/health" ? <Warnings /> : null}
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

/** How many checks don't pass. */
function Warnings(): ReactNode {
  const { data } = useStaff<StaffHealth>("health/", {}, { every: 60 });
  const bad = data?.checks.filter(({ level }) => level !== "pass") ?? [];
  if (bad.length === 0) return null;
  return (
    <Tag tone={bad.some(({ level }) => level === "fail") ? "bad" : "caution"}>
      {bad.length}
      <span className="vh"> {bad.length === 1 ? "warning" : "warnings"}</span>
    </Tag>
  );
}

function Connection(): ReactNode {
  const { client } = useParts();
  const { problem } = useSession(client);
  return (
    <div role="status">
      {problem === undefined ? null : <p className="state caution">{problemMessages[problem]}</p>}
    </div>
  );
}
