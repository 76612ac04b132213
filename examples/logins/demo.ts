/** What only these examples need: a page without a bundler, and a user. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import express, { type Router } from "express";
import { type Auth, AuthError } from "tokenpair";

/** Serves a page of this folder at "/", and the packages that it imports. */
export function page(name: string): Router {
  const folderOf = (specifier: string) => express.static(dirname(fileURLToPath(import.meta.resolve(specifier))));
  return express
    .Router()
    .use("/modules/tokenpair", folderOf("tokenpair/client"))
    .use("/modules/simplewebauthn", folderOf("@simplewebauthn/browser"))
    .get("/", (_req, res) => res.sendFile(name, { root: import.meta.dirname }));
}

/** Creates a user `alice` with the password below. */
export async function createAlice(auth: Pick<Auth, "users">): Promise<void> {
  try {
    await auth.users.create({ username: "alice", password: "correct horse battery staple" });
  } catch (error) {
    if (!(error instanceof AuthError) || error.code !== "username_taken") throw error;
  }
}
