"use server";

import { action } from "tokenpair/next";
import { getAuth } from "./auth";

const withAuth = action(getAuth);

/** Returns what was sent, and who sent it. */
export const save = withAuth(async ({ userId }, text: string) => `${userId} saved ${text}`);
