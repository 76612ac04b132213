import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import express from "express";
import { createAuth } from "tokenpair";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auth, options } from "./recipes/auth.ts";
import { optionalUser } from "./recipes/optional-user.ts";

describe("the recipe of a route for everyone", () => {
  const other = createAuth(options);
  let server: Server;
  let access: string;
  let refresh: string;

  beforeAll(async () => {
    await other.ready();
    const { id } = await other.users.create({ username: "alice", password: "correct horse battery" });
    ({ access, refresh } = await other.issue(id));
    const app = express();
    app.all("/", optionalUser, (req, res) => void res.json({ user: req.auth?.userId ?? null }));
    server = app.listen(0);
    await once(server, "listening");
  });
  afterAll(async () => {
    server.close();
    await Promise.all([auth.close(), other.close()]);
    await options.store.close();
  });

  async function read(headers: Record<string, string> = {}, method = "GET"): Promise<unknown> {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://localhost:${port}/`, { method, headers });
    const body = (await response.json()) as { readonly user?: string | null; readonly code?: string };
    return [response.status, body.code ?? body.user];
  }

  it("is the code that the page shows", () => {
    const page = readFileSync(resolve(import.meta.dirname, "../../docs/protect-a-route.md"), "utf8");
    const code = readFileSync(resolve(import.meta.dirname, "recipes/optional-user.ts"), "utf8");
    expect(page).toContain(`\`\`\`ts\n// optional-user.ts\n${code}\`\`\`\n`);
  });

  it("answers with 503 if the node can't know who sent the request, and only then refuses", async () => {
    const bearer = { Authorization: `Bearer ${access}` };
    expect(await read(bearer)).toEqual([503, "unavailable"]);
    expect(await read()).toEqual([200, null]);
    await auth.ready();
    expect(await read(bearer)).toEqual([200, "1"]);
  });

  it("takes requests for anonymous that prove no user: without a token, with a wrong or a revoked one, or without the CSRF token", async () => {
    await auth.ready();
    const cookie = { Cookie: `__Host-Http-access=${access}`, "Sec-Fetch-Site": "same-origin" };
    expect(await read(cookie)).toEqual([200, "1"]);
    expect(await read(cookie, "POST")).toEqual([200, null]);
    expect(await read({ Authorization: "Bearer garbage" })).toEqual([200, null]);
    await auth.logout(refresh);
    expect(await read({ Authorization: `Bearer ${access}` })).toEqual([200, null]);
    expect(await read(cookie)).toEqual([200, null]);
  });
});
