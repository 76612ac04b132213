import { useCallback } from "react";
import { useSearchParams } from "wouter";

/** The parameters of the page's address, and a function that changes some of them. */
export interface Search {
  /** Returns a parameter, or an empty text. */
  get(name: string): string;
  /** Changes parameters; an empty text removes one. `replace`: without a new entry in the history. */
  set(changes: Readonly<Record<string, string>>, options?: { readonly replace?: boolean }): void;
}

/** Returns the parameters of the page's address. A change of a filter begins at the first page again. */
export function useSearch(): Search {
  const [params, setParams] = useSearchParams();
  const set = useCallback<Search["set"]>(
    (changes, { replace = false } = {}) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          if (!("cursor" in changes)) after.delete("cursor");
          for (const [name, value] of Object.entries(changes)) {
            if (value === "") after.delete(name);
            else after.set(name, value);
          }
          return after;
        },
        { replace },
      ),
    [setParams],
  );
  return { get: (name) => params.get(name) ?? "", set };
}
