"use client";

import type { ReactNode } from "react";
import { createClient, patchFetch } from "tokenpair/client";
import { SessionProvider, type SessionState } from "tokenpair/react";

export const client = createClient();
// Next's router and its actions use the global fetch. A page with this query is without it, to try `useAction` alone.
if (typeof window !== "undefined" && !window.location.search.includes("unpatched")) patchFetch(client);

/** Provides the session to the components of all pages. */
export function Session({ initial, children }: { initial: SessionState; children: ReactNode }) {
  return (
    <SessionProvider client={client} initial={initial}>
      {children}
    </SessionProvider>
  );
}
