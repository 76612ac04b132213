import { expect, it } from "vitest";
import { alice, createTestAuth, testStart } from "../../support/auth.ts";
import { createBrowser } from "../../support/browser.ts";

it("no cookie endpoint puts a token into its answer, nor into an event", async () => {
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

it("with insecureCookies the bare names carry a login over plain http", async () => {
  const auth = await createTestAuth({ settings: { insecureCookies: true } });
  const csrf = await auth.send("GET", "/api/auth/csrf/");
  const [csrfCookie = ""] = csrf.headers.getSetCookie();
  const { csrf_token: token } = (await csrf.json()) as { csrf_token: string };
  expect(csrfCookie).toBe(`csrftoken=${token}; Path=/; SameSite=Lax`);
  const headers = { Cookie: `csrftoken=${token}`, "X-CSRFToken": token };
  const login = await auth.send("POST", "/api/auth/login/", { headers, body: alice });
  const [access = "", refresh] = login.headers.getSetCookie();
  expect(access).toMatch(/^access=eyJ[^;]+; Max-Age=1800; Path=\/; HttpOnly; SameSite=Lax$/);
  expect(refresh).toMatch(/^refresh=eyJ[^;]+; Max-Age=2592000; Path=\/api\/auth; HttpOnly; SameSite=Strict$/);
  const me = await auth.send("GET", "/api/auth/me/", { headers: { Cookie: access.split(";", 1)[0] ?? "" } });
  expect(await me.json()).toMatchObject({ username: "alice", session: { created_at: testStart } });
  await auth.close();
});
