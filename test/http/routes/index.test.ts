import { expect, it } from "vitest";
import { alice, createTestAuth } from "../../support/auth.ts";
import { createBrowser } from "../../support/browser.ts";

it("puts no token, and no password, into a body, a header or an event of the cookie endpoints", async () => {
  const auth = await createTestAuth();
  const browser = createBrowser(auth);
  const secrets = new Set<string>();
  const texts: string[] = [];
  const send = async (method: string, path: string, body?: unknown) => {
    const response = await browser.send(method, `/api/auth/${path}/`, { body });
    for (const name of ["__Host-Http-access", "__Secure-refresh"]) secrets.add(browser.cookie(name) ?? "");
    texts.push(await response.text(), ...[...response.headers].flat().filter((text) => !text.includes("; Path=")));
    return response.status;
  };

  const { sessionId } = await browser.logIn();
  const password = { current_password: alice.password, new_password: "a much better battery" };
  const statuses = [
    await send("GET", "csrf"),
    await send("POST", "login", { ...alice, remember: false }),
    await send("POST", "login", { ...alice, password: "wrong" }),
    await send("POST", "refresh"),
    await send("GET", "sessions"),
    await send("PATCH", `sessions/${sessionId}`, { label: "x" }),
    await send("DELETE", `sessions/${sessionId}`),
    await send("GET", "me"),
    await send("POST", "password", password),
    await send("POST", "logout", { scope: "others" }),
    await send("POST", "logout"),
  ];
  expect(statuses).toEqual([200, 200, 401, 200, 200, 404, 404, 200, 200, 200, 200]);

  secrets.delete("");
  expect(secrets.size).toBeGreaterThanOrEqual(6);
  const everything = JSON.stringify([texts, auth.events]);
  for (const secret of [...secrets, alice.password, password.new_password]) expect(everything).not.toContain(secret);
  expect(everything).not.toContain("eyJ");
  await auth.close();
});
