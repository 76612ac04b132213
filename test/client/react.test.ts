import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { type Client, createClient } from "../../src/client/index.ts";
import { useSession } from "../../src/client/react.ts";
import { createFakeBrowser } from "./fake-browser.ts";

const Status = ({ client }: { readonly client: Client }) => createElement("p", null, useSession(client).status);

describe("server rendering", () => {
  it("makes a client that is loading, asks nothing and refuses calls", async () => {
    const client = createClient();
    expect(client.session()).toEqual({ status: "loading" });
    expect(client.session()).toBe(client.session());
    client.onChange(() => undefined)();
    client.dispose();
    await expect(client.fetch("/api/orders/")).rejects.toThrow(TypeError);
  });

  it("renders useSession as loading, whatever the client knows", async () => {
    const { client } = await createFakeBrowser().openLoggedIn();
    expect(renderToString(createElement(Status, { client }))).toBe("<p>loading</p>");
  });
});
