import type { ReactNode } from "react";
import { Link } from "wouter";

/** The props of `Tile`. */
export interface TileProps {
  readonly name: string;
  readonly value: string;
  /** More about it, in small letters. */
  readonly sub: ReactNode;
  /** One number for each of the last 60 minutes, oldest first. The last minute isn't over and isn't shown. */
  readonly series?: readonly number[];
  readonly isBad?: boolean;
  /** The path of the page that says more. */
  readonly href?: string;
}

/** One figure, with a line that shows the last hour. */
export function Tile({ name, value, sub, series, isBad = false, href }: TileProps): ReactNode {
  return (
    <div className={isBad ? "tile bad" : "tile"}>
      <dt>{href === undefined ? name : <Link href={href}>{name}</Link>}</dt>
      <dd>{value}</dd>
      <dd className="sub">{sub}</dd>
      {series === undefined ? null : (
        <dd className="figure">
          <Sparkline series={series.slice(0, -1)} />
        </dd>
      )}
    </div>
  );
}

const height = 26;

function Sparkline({ series }: { readonly series: readonly number[] }): ReactNode {
  const top = Math.max(1, ...series);
  const points = series.map((value, index) => `${index},${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`);
  return (
    <svg
      className="spark"
      viewBox={`0 0 ${Math.max(1, series.length - 1)} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polyline points={points.join(" ")} />
    </svg>
  );
}
