import type { ReactNode } from "react";
import type { StaffHealth } from "../../staff/api.ts";
import { fromDuration, toDuration } from "../data/times.ts";
import { useStaff } from "../data/use-staff.ts";
import { Head } from "../parts/head.tsx";
import { Loaded } from "../parts/states.tsx";
import { Tag, type Tone } from "../parts/tag.tsx";
import { Age } from "../parts/time.tsx";

type Level = StaffHealth["checks"][number]["level"];

const tones: Readonly<Record<Level, Tone>> = { pass: "good", warning: "caution", fail: "bad" };
const order: readonly Level[] = ["fail", "warning", "pass"];

/** The page with the checks, the settings, and the database. */
export function HealthPage(): ReactNode {
  const query = useStaff<StaffHealth>("health/", {}, { every: 60 });
  return (
    <>
      <Head title="Health">
        <button type="button" aria-disabled={query.isFetching} onClick={() => void query.refetch()}>
          {query.isFetching ? "Checking…" : "Run the checks again"}
        </button>
      </Head>
      <Loaded query={query}>{(health) => <Shown health={health} />}</Loaded>
    </>
  );
}

function Shown({ health }: { readonly health: StaffHealth }): ReactNode {
  const { checks, settings, database, node, now } = health;
  const count = (level: Level) => checks.filter((check) => check.level === level).length;
  const [failures, warnings] = [count("fail"), count("warning")];
  const summary = [
    `${count("pass")} of ${checks.length} checks pass.`,
    failures === 0 ? "" : failures === 1 ? "1 fails." : `${failures} fail.`,
    warnings === 0 ? "" : warnings === 1 ? "1 warning." : `${warnings} warnings.`,
  ];
  return (
    <>
      <p className={failures > 0 ? "state bad" : warnings > 0 ? "state caution" : "state"} role="status">
        {summary.join(" ")}
      </p>
      <section className="card flush">
        <h2>
          Checks{" "}
          <span className="quiet">
            · as <code>tokenpair doctor</code> runs them, on node {node}, <Age at={now} />
          </span>
        </h2>
        <ul className="checks">
          {checks
            .toSorted((one, other) => order.indexOf(one.level) - order.indexOf(other.level))
            .map(({ name, level, text }) => (
              <li key={name}>
                <span>
                  <Tag tone={tones[level]}>{level}</Tag>
                </span>
                <p>
                  <b>{name}</b>: {text}
                </p>
              </li>
            ))}
        </ul>
      </section>
      <div className="cols">
        <section className="card">
          <h2>Settings in force</h2>
          <SettingList settings={settings.filter((setting) => setting.is_set)} />
          <details>
            <summary>{settings.filter((setting) => !setting.is_set).length} settings have their defaults</summary>
            <SettingList settings={settings.filter((setting) => !setting.is_set)} />
          </details>
        </section>
        <section className="card">
          <h2>Database</h2>
          <dl className="facts">
            {database.map(({ name, value }) => (
              <Fact key={name} name={name}>
                {value}
              </Fact>
            ))}
          </dl>
        </section>
      </div>
    </>
  );
}

function SettingList({ settings }: { readonly settings: StaffHealth["settings"] }): ReactNode {
  return (
    <dl className="facts">
      {settings.map(({ name, value, is_set: isSet }) => (
        <Fact key={name} name={name}>
          {toSettingText(name, value)} {isSet ? <Tag tone="mine">set</Tag> : null}
        </Fact>
      ))}
    </dl>
  );
}

/** Shows a number of seconds in its largest unit, if that is exact. */
function toSettingText(name: string, value: string): string {
  const seconds = Number(value);
  if (!/(?:Lifetime|Interval|Staleness|Timeout|Delay)$/.test(name) || !Number.isInteger(seconds)) return value;
  const text = toDuration(seconds);
  return fromDuration(text) === seconds ? text : `${seconds} s`;
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
