import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { useParts } from "../data/context.ts";
import { toAge, toDateText, toDuration, toIso, toTimeText, toZoneName, type Zone } from "../data/times.ts";

interface TimeSettings {
  readonly now: number;
  readonly zone: Zone;
  setZone(zone: Zone): void;
}

const TimeContext = createContext<TimeSettings>({ now: 0, zone: "utc", setZone: () => undefined });

const storageKey = "tokenpair-console-zone";

/** Lets everything below show times. Ages are updated every 15 seconds. */
export function TimeProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const { clock } = useParts();
  const [now, setNow] = useState(() => clock.now());
  const [zone, setState] = useState<Zone>(readZone);
  useEffect(() => {
    const timer = setInterval(() => setNow(clock.now()), 15_000);
    return () => clearInterval(timer);
  }, [clock]);
  const setZone = useCallback((next: Zone) => {
    setState(next);
    writeZone(next);
  }, []);
  const value = useMemo(() => ({ now: Math.max(now, clock.now()), zone, setZone }), [now, clock, zone, setZone]);
  return <TimeContext value={value}>{children}</TimeContext>;
}

/** Returns the time that ages are measured from, and the zone in which times are shown. */
export const useTime = (): TimeSettings => useContext(TimeContext);

/** The props of the components that show one time. */
export interface TimeProps {
  /** Seconds since the epoch. */
  readonly at: number;
}

/** Shows how long ago something was. The exact time is the element's title. */
export function Age({ at }: TimeProps): ReactNode {
  const { now, zone } = useTime();
  return <Time at={at} title={toExact(at, zone)} text={toAge(at, now)} />;
}

/** Shows how long it is until something, or `over`. */
export function Until({ at }: TimeProps): ReactNode {
  const { now, zone } = useTime();
  return <Time at={at} title={toExact(at, zone)} text={at > now ? toDuration(at - now) : "over"} />;
}

/** Shows a date and the time of day to the minute. */
export function DateTime({ at }: TimeProps): ReactNode {
  const { zone } = useTime();
  const text = `${toDateText(at, zone)} ${toTimeText(at, zone).slice(0, 5)}`;
  return <Time at={at} title={toExact(at, zone)} text={text} />;
}

/** Shows a date. */
export function Day({ at }: TimeProps): ReactNode {
  const { zone } = useTime();
  return <Time at={at} title={toExact(at, zone)} text={toDateText(at, zone)} />;
}

/** Shows the time of day, and before it the date unless that is today. */
export function Moment({ at }: TimeProps): ReactNode {
  const { now, zone } = useTime();
  const date = toDateText(at, zone);
  const time = toTimeText(at, zone);
  return <Time at={at} title={toExact(at, zone)} text={date === toDateText(now, zone) ? time : `${date} ${time}`} />;
}

function Time({ at, title, text }: TimeProps & { readonly title: string; readonly text: string }): ReactNode {
  return (
    <time dateTime={toIso(at)} title={title}>
      {text}
    </time>
  );
}

/** Says in which zone times are shown, and switches to the other one. */
export function ZoneSwitch(): ReactNode {
  const { now, zone, setZone } = useTime();
  const other = zone === "utc" ? "local" : "utc";
  const isSame = zone === "utc" && new Date(now * 1_000).getTimezoneOffset() === 0;
  return (
    <p className="quiet zone">
      Times are {toZoneName(zone, now)}.{" "}
      {isSame ? null : (
        <button type="button" className="small" onClick={() => setZone(other)}>
          {other === "utc" ? "Show UTC" : `Show my time (${toZoneName("local", now)})`}
        </button>
      )}
    </p>
  );
}

const toExact = (at: number, zone: Zone) => `${toDateText(at, zone)} ${toTimeText(at, zone)} ${toZoneName(zone, at)}`;

function readZone(): Zone {
  try {
    return localStorage.getItem(storageKey) === "local" ? "local" : "utc";
  } catch {
    return "utc";
  }
}

function writeZone(zone: Zone): void {
  try {
    localStorage.setItem(storageKey, zone);
  } catch {
    // It counts until the page is reloaded.
  }
}
