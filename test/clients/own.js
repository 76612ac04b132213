/** What a page of another origin does with tokenpair's own clients. */
import { createBearerClient, userSessions } from "../../dist/client/bearer/index.js";
import { createClient } from "../../dist/client/index.js";

/** Returns a list of steps, and a function that adds one or throws. */
export function createSteps() {
  const steps = [];
  return {
    steps,
    expect(step, actual, expected) {
      const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
      if (got !== wanted) throw new Error(`${step}: got ${got} instead of ${wanted}`);
      steps.push(step);
    },
  };
}

async function bearer({ api, credentials, wrong }) {
  const { steps, expect } = createSteps();
  const client = createBearerClient({ baseUrl: api, storage: localStorage });
  const { code } = await client.login(wrong).catch((error) => error);
  expect("a wrong password is refused", code, "no_active_account");
  const state = await client.login(credentials);
  expect("a login", [state.status, state.user?.username], ["authenticated", credentials.username]);
  expect("a request with the token", (await client.fetch("/api/auth/me/")).status, 200);
  await client.refresh();
  expect("a refresh", client.session().problem, undefined);
  const post = (path, body) =>
    fetch(`${api}/api/token/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json" },
    });
  const other = await (await post("", credentials)).json();
  expect("two sessions", (await userSessions(client).list()).length, 2);
  expect("a logout of all", await client.logout("all"), { revoked: true });
  expect("the other session is over", (await post("refresh/", { refresh: other.refresh })).status, 401);
  await client.login(credentials);
  client.dispose();
  return steps;
}

/** Continues in a page that has no network. */
async function offline({ api }) {
  const { steps, expect } = createSteps();
  const client = createBearerClient({ baseUrl: api, storage: localStorage });
  expect("a logout without a network", await client.logout(), { revoked: false });
  expect("the user is logged out", client.session(), { status: "anonymous", reason: "logged_out" });
  client.dispose();
  return steps;
}

/** Continues in a new page, with a network. */
async function restarted({ api }) {
  const { steps, expect } = createSteps();
  const client = createBearerClient({ baseUrl: api, storage: localStorage });
  expect("the logout is completed after a restart", await client.logout(), { revoked: true });
  expect("no token is left", Object.values(localStorage).join("").includes("eyJ"), false);
  client.dispose();
  return steps;
}

async function cookies({ api, credentials }) {
  const { steps, expect } = createSteps();
  const client = createClient({ baseUrl: api });
  await client.login(credentials);
  expect("a login with cookies", client.session().status, "authenticated");
  expect("a request with cookies", (await client.fetch(`${api}/api/auth/sessions/`)).status, 200);
  await client.refresh();
  expect("a refresh with cookies", client.session().problem, undefined);
  expect("a logout with cookies", await client.logout(), { revoked: true });
  client.dispose();
  return steps;
}

/** In a page that isn't trusted. */
async function untrusted({ api, credentials }) {
  const { steps, expect } = createSteps();
  for (const path of ["/api/token/", "/api/token/refresh/", "/api/auth/me/", "/api/auth/csrf/", "/api/schema/"]) {
    const init = { method: "POST", body: JSON.stringify(credentials), headers: { "Content-Type": "application/json" } };
    const name = await fetch(api + path, path.includes("token") ? init : {}).catch((error) => error.name);
    expect(`${path} can't be read`, name, "TypeError");
  }
  const keys = await (await fetch(`${api}/.well-known/jwks.json`)).json();
  expect("the public keys can be read", Array.isArray(keys.keys), true);
  return steps;
}

export const own = { bearer, offline, restarted, cookies, untrusted };

globalThis.clients ??= own;
