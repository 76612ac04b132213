"use client";

import type { ReactNode } from "react";
import { createClient, patchFetch } from "tokenpair/client";
import { SessionProvider, type SessionState } from "tokenpair/react";

export const client = createClient();
patchFetch(client); // for Next's router and its server actions, which use the global fetch

export function Session({ initial, children }: { initial: SessionState; children: ReactNode }) {
  return (
    <SessionProvider client={client} initial={initial}>
      {children}
    </SessionProvider>
  );
}
