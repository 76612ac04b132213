import express from "express";
import { expect, it } from "vitest";
import { authRoutes } from "../../../src/adapters/express/index.ts";
import { createScriptAuth, credentials } from "../http-script.ts";

it.each([
  ["express.raw", express.raw({ type: "*/*" })],
  ["express.text", express.text({ type: "*/*" })],
])("accepts a login after %s has read the body", async (_, parser) => {
  const { auth, close } = await createScriptAuth();
  const server = express().use(parser, authRoutes(auth)).listen(0);
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const response = await fetch(`http://127.0.0.1:${port}/api/token/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(credentials),
  });
  expect(response.status).toBe(200);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await close();
});
