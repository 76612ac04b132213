import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { type Client, createClient } from "../../src/client/index.ts";
import { useSession } from "../../src/client/react.ts";
import { createFakeBrowser, toStorage } from "./fake-browser.ts";

const Status = ({ client }: { readonly client: Client }) => createElement("p", null, useSession(client).status);

describe("server rendering", () => {
  it("creates a client without a page whose state is loading and whose calls reject", async () => {
    const client = createClient();
    expect(client.session()).toEqual({ status: "loading" });
    expect(client.session()).toBe(client.session());
    client.onChange(() => undefined)();
    client.dispose();
    await expect(client.fetch("/api/orders/")).rejects.toThrow(TypeError);
  });

  it.each([
    ["cookie", {}],
    ["bearer", { storage: toStorage(new Map()) }],
  ])("renders the state loading on a server, although the user of the %s client is logged in", async (_, options) => {
    const { client } = await createFakeBrowser().openLoggedIn(options);
    expect(client.session().status).toBe("authenticated");
    expect(renderToString(createElement(Status, { client }))).toBe("<p>loading</p>");
  });
});
