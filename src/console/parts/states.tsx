import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { StaffError, toErrorText } from "../data/staff-error.ts";
import { Moment } from "./time.tsx";

/** Says that something is loading. It appears only if that takes a while. */
export function Loading(): ReactNode {
  return (
    <p className="waiting" role="status">
      Loading…
    </p>
  );
}

/** Says why something could not be read, with a button that tries again. */
export function Failure({ error, retry }: { readonly error: unknown; readonly retry: () => void }): ReactNode {
  const isRefused = error instanceof StaffError && error.status === 403;
  return (
    <div className="card">
      <p className="state bad" role="alert">
        {toErrorText(error)}
      </p>
      {isRefused ? null : (
        <p>
          <button type="button" onClick={retry}>
            Try again
          </button>
        </p>
      )}
    </div>
  );
}

/** Says that what is shown is old, because it could not be read again. */
export function Stale({ query }: { readonly query: UseQueryResult }): ReactNode {
  if (!query.isError || query.data === undefined) return null;
  return (
    <p className="state caution" role="status">
      <span>
        {toErrorText(query.error)} Shown as of <Moment at={Math.floor(query.dataUpdatedAt / 1_000)} />.
      </span>
      <button type="button" className="small" onClick={() => void query.refetch()}>
        Try again
      </button>
    </p>
  );
}

/** The props of `Loaded`. */
export interface LoadedProps<T> {
  readonly query: UseQueryResult<T>;
  readonly children: (data: T) => ReactNode;
}

/** Shows what was read; until then that it is loading, or why it can't be. */
export function Loaded<T>({ query, children }: LoadedProps<T>): ReactNode {
  if (query.data === undefined) {
    return query.isError ? <Failure error={query.error} retry={() => void query.refetch()} /> : <Loading />;
  }
  return (
    <>
      <Stale query={query as UseQueryResult} />
      {children(query.data)}
    </>
  );
}

/** Says that a list is empty, and what to do about it. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }): ReactNode {
  return (
    <div className="empty">
      <p>
        <b>{title}</b>
      </p>
      {children}
    </div>
  );
}
