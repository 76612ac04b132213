import type {
  AccessLine,
  AuditLine,
  EnableLine,
  EndLine,
  FaultLine,
  Line,
  LoginLine,
  RefreshLine,
  RowLine,
  SettingsLine,
} from "./format.ts";

/** Everything that a history says of one session. */
export interface SessionHistory {
  readonly sid: string;
  /** Null: it began before the history did. */
  readonly login: LoginLine | null;
  /** Of genuine tokens, by the generation that was presented. */
  readonly refreshes: ReadonlyMap<number, readonly RefreshLine[]>;
  readonly accesses: readonly AccessLine[];
  readonly rows: readonly RowLine[];
  readonly audits: readonly AuditLine[];
  /** What was acknowledged and has certainly ended it, whatever ran at the same time. */
  readonly endings: readonly EndLine[];
  /** What may have ended it, those included that nobody knows the outcome of. */
  readonly possibleEndings: readonly EndLine[];
  /** Changes of the password that it has outlived, with a generation of its own. */
  readonly renewals: readonly EndLine[];
}

export interface History {
  readonly settings: SettingsLine;
  readonly sessions: readonly SessionHistory[];
  readonly forgeries: readonly (RefreshLine | EndLine | AccessLine)[];
  readonly faults: readonly FaultLine[];
}

/** Sorts a history's lines by session. */
export function toHistory([settings, ...rest]: readonly [SettingsLine, ...Line[]]): History {
  const isForged = (line: Line) => "genuine" in line && line.genuine === false;
  const lines = rest.filter((line) => !isForged(line));
  const of = <Op extends Line["op"]>(op: Op) => lines.filter((line) => line.op === op) as Extract<Line, { op: Op }>[];

  const logins = groupBy(of("login"), ({ given }) => given?.sid);
  const refreshes = groupBy(of("refresh"), ({ token }) => token.sid);
  const accesses = groupBy(of("access"), ({ sid }) => sid);
  const rows = groupBy(of("row"), ({ sid }) => sid);
  const audits = groupBy(of("audit"), ({ sid }) => sid);
  const endingsOf = toEndings(of("end"), of("enable"), settings);

  const ids = [logins, refreshes, accesses, rows].flatMap((group) => [...group.keys()]);
  const sessions = [...new Set(ids)].map((sid) => {
    const login = logins.get(sid)?.[0] ?? null;
    const presented = refreshes.get(sid) ?? [];
    const user = login?.user ?? presented.find((line) => line.user !== undefined)?.user;
    return {
      sid,
      login,
      refreshes: groupBy(presented, ({ token }) => token.gen),
      accesses: accesses.get(sid) ?? [],
      rows: (rows.get(sid) ?? []).sort((a, b) => a.at - b.at),
      audits: audits.get(sid) ?? [],
      ...endingsOf(sid, login, user),
    };
  });
  return {
    settings,
    sessions,
    forgeries: rest.filter(isForged) as History["forgeries"],
    faults: of("fault"),
  };
}

function toEndings(ends: readonly EndLine[], enables: readonly EnableLine[], { clockSkew }: SettingsLine) {
  const bySession = groupBy(ends, ({ sid }) => sid);
  const wide = ends.filter(({ sid }) => sid === undefined);

  /** Whether a user was let in again while this login, which ran beside `end`, could still come after it. */
  const mayFollow = (end: EndLine, login: LoginLine) =>
    end.how !== "disable" ||
    enables.some(({ user, start, end: until }) => user === end.user && start < login.end && until > end.start);

  return (sid: string, login: LoginLine | null, user: string | undefined) => {
    const own = bySession.get(sid) ?? [];
    const others = wide.filter(
      (end) => end.except !== sid && (end.user === undefined || user === undefined || end.user === user),
    );
    const possibleEndings = [...own, ...others].filter(({ outcome }) => outcome !== "refused");
    const isCertain = (end: EndLine) => {
      if (end.outcome !== "ok") return false;
      if (end.sid !== undefined) return true;
      if (login === null || (end.user !== undefined && user === undefined)) return false;
      return login.end + clockSkew <= end.start || (login.start < end.end && !mayFollow(end, login));
    };
    const renewals = wide.filter((end) => end.except === sid && end.how === "password" && end.outcome !== "refused");
    return { endings: possibleEndings.filter(isCertain), possibleEndings, renewals };
  };
}

function groupBy<K, T>(items: readonly T[], keyOf: (item: T) => K | undefined): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
