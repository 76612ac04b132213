"use client";

export type * from "./public-api.ts";
export { SessionProvider, type SessionProviderProps } from "./react/session-provider.ts";
export { useAction } from "./react/use-action.ts";
export { useSession, useUser } from "./react/use-session.ts";
export { type SessionList, useSessions } from "./react/use-sessions.ts";
