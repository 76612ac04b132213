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
}

/** Reads something of the staff API. While new parameters load, the former result is shown. */
export function useStaff<T>(path: string, query: Query = {}, { every }: ReadOptions = {}): UseQueryResult<T> {
  const { api } = useParts();
  return useQuery({
    queryKey: [path, query],
    queryFn: ({ signal }) => api.get<T>(path, query, signal),
    placeholderData: keepPreviousData,
    ...(every === undefined ? {} : { refetchInterval: every * 1_000 }),
  });
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
