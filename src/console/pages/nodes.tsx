import type { ReactNode } from "react";
import type { StaffNode } from "../../staff/api.ts";
import { toDuration } from "../data/times.ts";
import { Scroll } from "../parts/scroll.tsx";
import { Empty } from "../parts/states.tsx";
import { Tag, type Tone } from "../parts/tag.tsx";
import { Age, useTime } from "../parts/time.tsx";

const tones: Readonly<Record<StaffNode["state"], Tone>> = { fresh: "good", behind: "caution", missing: "bad" };

/** The headings of the columns with figures. */
const figures = ["Feed age", "Lag p99", "Refresh p99", "Login p99", "Hash queue"];

/** The nodes, as they last reported. */
export function NodeTable({ nodes }: { readonly nodes: readonly StaffNode[] }): ReactNode {
  const { now } = useTime();
  return (
    <section className="card flush" aria-labelledby="nodes-title">
      <h2 id="nodes-title">Nodes</h2>
      {nodes.length === 0 ? (
        <Empty title="No node has reported yet." />
      ) : (
        <Scroll label="Nodes">
          <table className="cards">
            <caption className="vh">Nodes</caption>
            <thead>
              <tr>
                <th scope="col">Node</th>
                <th scope="col">State</th>
                {figures.map((name) => (
                  <th key={name} scope="col" className="n">
                    {name}
                  </th>
                ))}
                <th scope="col">Version, up</th>
              </tr>
            </thead>
            <tbody>
              {nodes.map((node) => (
                <tr key={node.id}>
                  <th scope="row">
                    <bdi>{node.name}</bdi>
                  </th>
                  <td>
                    <Tag tone={tones[node.state]}>{node.state}</Tag>{" "}
                    {node.state === "missing" ? (
                      <span className="quiet">
                        <Age at={node.reported_at} />
                      </span>
                    ) : null}
                  </td>
                  <td className="n" data-l="Feed age">
                    {node.feed_age.toFixed(1)} s
                  </td>
                  <td className="n" data-l="Lag p99">
                    {toMilliseconds(node.lag_p99)}
                  </td>
                  <td className="n" data-l="Refresh p99">
                    {toMilliseconds(node.refresh_p99)}
                  </td>
                  <td className="n" data-l="Login p99">
                    {toMilliseconds(node.login_p99)}
                  </td>
                  <td className="n" data-l="Hash queue">
                    {node.hash_queue}
                  </td>
                  <td data-l="Version, up">
                    {node.version}, {toDuration(now - node.started_at)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}

function toMilliseconds(value: number | null): string {
  if (value === null) return "–";
  return value < 1_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(1)} s`;
}
