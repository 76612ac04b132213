/** The pages of these examples. Your own bundler does this. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import express, { type Router } from "express";

/** Serves a page of this folder at "/", and the packages that it imports. */
export function page(name: string): Router {
  const folderOf = (specifier: string) => express.static(dirname(fileURLToPath(import.meta.resolve(specifier))));
  return express
    .Router()
    .use("/modules/tokenpair", folderOf("tokenpair/client"))
    .use("/modules/simplewebauthn", folderOf("@simplewebauthn/browser"))
    .get("/", (_req, res) => res.sendFile(name, { root: import.meta.dirname }));
}
