import { keepPreviousData, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import type { StaffAuditEntry } from "../../staff/api.ts";
import { useParts } from "./context.ts";
import type { LiveState } from "./live.ts";
import type { Query } from "./staff-api.ts";

/** How something is read. */
export interface ReadOptions {
  /** Reads again after so many seconds while the page is visible. Default: only when the page is shown again. */
  readonly every?: number;
  /** Whether nothing is read. */
  readonly isOff?: boolean;
  /** Another read that this one needs, and that has no answer yet. Then its state is returned. */
  readonly after?: UseQueryResult | undefined;
}

/** Reads something of the staff API. While new parameters load, the former result is shown. */
export function useStaff<T>(
  path: string,
  query: Query = {},
  { every, isOff = false, after }: ReadOptions = {},
): UseQueryResult<T> {
  const { api } = useParts();
  const result = useQuery({
    queryKey: [path, query],
    queryFn: ({ signal }) => api.get<T>(path, query, signal),
    placeholderData: keepPreviousData,
    enabled: !isOff && after === undefined,
    ...(every === undefined ? {} : { refetchInterval: every * 1_000 }),
  });
  return (after as typeof result | undefined) ?? result;
}

/** Calls `listener` with every new entry of the audit log. */
export function useEntries(listener: (entry: StaffAuditEntry) => void): void {
  const { live } = useParts();
  useEffect(() => live.onEntry(listener), [live, listener]);
}

/** Returns whether new entries arrive. */
export function useLiveState(): LiveState {
  const { live } = useParts();
  return useSyncExternalStore(live.onState, live.state);
}
