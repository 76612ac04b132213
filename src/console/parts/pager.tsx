import type { ReactNode } from "react";
import type { Page } from "../../staff/api.ts";
import type { Search } from "../data/use-search.ts";

/** The props of `Pager`. */
export interface PagerProps {
  readonly page: Page<unknown>;
  readonly search: Search;
  /** What a row is: `user`. */
  readonly noun: string;
  /** Default: the noun with an s. */
  readonly plural?: string;
}

/** Says how much a list shows, and leads to the next and the previous page. */
export function Pager({ page, search, noun, plural = `${noun}s` }: PagerProps): ReactNode {
  const { results, next, previous, count } = page;
  const shown = `${results.length} ${results.length === 1 ? noun : plural}`;
  const isAll = next === null && previous === null;
  // The empty list says so itself.
  if (isAll && results.length === 0) return null;
  const total = count === undefined || isAll ? "" : ` of ${count >= 10_000 ? "10,000 or more" : toNumber(count)}`;
  return (
    <div className="pager">
      <span className="quiet">
        {shown}
        {total}
        {isAll || count !== undefined ? "." : " on this page."}
      </span>
      {isAll ? null : (
        <nav aria-label="Pages">
          <Turn cursor={previous} search={search}>
            Previous
          </Turn>{" "}
          <Turn cursor={next} search={search}>
            Next
          </Turn>
        </nav>
      )}
    </div>
  );
}

function Turn({
  cursor,
  search,
  children,
}: {
  readonly cursor: string | null;
  readonly search: Search;
  readonly children: string;
}): ReactNode {
  return (
    <button
      type="button"
      className="small"
      aria-disabled={cursor === null}
      onClick={() => {
        if (cursor === null) return;
        search.set({ cursor });
        scrollTo(0, 0);
      }}
    >
      {children}
    </button>
  );
}

/** Returns a number as people write it: `18,204`. */
export function toNumber(count: number): string {
  return count.toLocaleString("en");
}
