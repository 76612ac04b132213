import type { ReactNode } from "react";
import type { Search } from "../data/use-search.ts";
import { Empty } from "./states.tsx";

/** The props of `NoMatch`. */
export interface NoMatchProps {
  readonly title: string;
  readonly search: Search;
  /** The parameters that the button clears. */
  readonly filters: readonly string[];
  readonly children?: ReactNode;
}

/** Says that nothing matches the filters, with a button that clears them. */
export function NoMatch({ title, search, filters, children }: NoMatchProps): ReactNode {
  return (
    <Empty title={title}>
      {children}
      <button
        type="button"
        className="small"
        onClick={() => search.set(Object.fromEntries(filters.map((name) => [name, ""])))}
      >
        Clear the filters
      </button>
    </Empty>
  );
}
