import type { UseQueryResult } from "@tanstack/react-query";
import type { Page, StaffUser } from "../../staff/api.ts";
import type { Search } from "./use-search.ts";
import { useStaff } from "./use-staff.ts";

/** The filter of a list by user. */
export interface UserFilter {
  /** The id to filter by, or an empty text. */
  readonly id: string;
  /** The look-up of a name that was typed, until it has an answer. The list is read after it. */
  readonly lookup: UseQueryResult | undefined;
}

/** The parameters of the page's address that the filter uses: an id that a link gives, and a name or id that a person has typed. */
export const userParameters = ["user", "who"] as const;

/**
 * Returns the filter by user. What a person types is the name of a user or, if no user has that name, an id. A link gives an id, so it
 * never leads to another user who is called like the id.
 */
export function useUserFilter(search: Search): UserFilter {
  const [id, who] = [search.get("user"), search.get("who").trim()];
  const isTyped = id === "" && who !== "";
  const query = useStaff<Page<StaffUser>>("users/", { username: who }, { isOff: !isTyped });
  if (!isTyped) return { id, lookup: undefined };
  if (query.data === undefined || query.isPlaceholderData) {
    return { id: "", lookup: { ...query, data: undefined } as UseQueryResult };
  }
  return { id: query.data.results[0]?.id ?? who, lookup: undefined };
}
