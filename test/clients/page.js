/** What a page of another origin does with each client. Each function returns its steps, and rejects if one of them fails. */
import axios from "axios";
import createAuthRefresh from "axios-auth-refresh";
import drfProvider, { fetchJsonWithAuthJWTToken, jwtTokenAuthProvider } from "ra-data-django-rest-framework";
import { createSteps, own } from "./own.js";

/** React-admin's provider for Django REST framework. */
async function raDataDjango({ api, credentials, wrong }) {
  const { steps, expect } = createSteps();
  const auth = jwtTokenAuthProvider({ obtainAuthTokenUrl: `${api}/api/token/` });
  const refused = await auth.login(wrong).catch((error) => error.message);
  expect("a wrong password is refused, and the page can read the answer", refused, "Unauthorized");
  await auth.login(credentials);
  await auth.checkAuth();
  expect("a login stores a pair", localStorage.getItem("access").split(".").length, 3);

  const data = drfProvider(`${api}/api/auth`, fetchJsonWithAuthJWTToken);
  const { json: me } = await fetchJsonWithAuthJWTToken(`${api}/api/auth/me/`);
  expect("a GET with the token", me.username, credentials.username);
  const labelled = await data.update("sessions", { id: me.session.id, data: { label: "react-admin" } });
  expect("a PATCH with the token", labelled.data.label, "react-admin");
  await data.create("logout", { data: { scope: "others" } });
  expect(
    "a POST with the token",
    (await fetchJsonWithAuthJWTToken(`${api}/api/auth/sessions/`)).json.sessions.length,
    1,
  );
  await data.delete("sessions", { id: me.session.id });
  const revoked = await fetchJsonWithAuthJWTToken(`${api}/api/auth/me/`).catch((error) => error);
  expect("a DELETE with the token, after which it is refused", revoked.status, 401);
  const isKept = await auth.checkError(revoked).then(
    () => true,
    () => false,
  );
  expect("the 401 logs the user out", [isKept, localStorage.getItem("access")], [false, null]);
  return steps;
}

/** axios with a refresh after each 401. */
async function axiosAuthRefresh({ api, credentials }) {
  const { steps, expect } = createSteps();
  const http = axios.create({ baseURL: api });
  let pair = (await http.post("/api/token/", credentials)).data;
  const first = pair.refresh;
  // With its default, it gives up on requests that are refused while another one refreshes.
  const options = { deduplicateRefresh: false };
  createAuthRefresh(
    http,
    async () => {
      pair = (await axios.post(`${api}/api/token/refresh/`, { refresh: pair.refresh })).data;
    },
    options,
  );
  http.interceptors.request.use((config) => {
    config.headers.Authorization = `Bearer ${pair.access}`;
    return config;
  });
  pair = { ...pair, access: `${pair.access.slice(0, -4)}AAAA` };
  const answers = await Promise.all(Array.from({ length: 5 }, () => http.get("/api/auth/me/")));
  const names = answers.map(({ data }) => data.username);
  expect("five refused requests at once refresh and succeed", [...new Set(names)], [credentials.username]);
  expect("the pair is a new one", pair.refresh === first, false);
  const next = (await axios.post(`${api}/api/token/refresh/`, { refresh: pair.refresh })).data;
  const replay = await axios.post(`${api}/api/token/refresh/`, { refresh: pair.refresh });
  expect("the page can read Token-Replayed", replay.headers["token-replayed"], "true");
  expect("a replay returns the same token", replay.data.refresh, next.refresh);
  pair = next;
  const key = "0123456789abcdefghijkl";
  const headers = { "Idempotency-Key": key };
  pair = (await axios.post(`${api}/api/token/refresh/`, { refresh: pair.refresh }, { headers })).data;
  expect("a refresh with an idempotency key", typeof pair.refresh, "string");
  await axios.post(`${api}/api/token/verify/`, { token: pair.access });
  await axios.post(`${api}/api/token/blacklist/`, { refresh: pair.refresh });
  const refused = await axios.post(`${api}/api/token/refresh/`, { refresh: pair.refresh }).catch((error) => error);
  expect("the page can read Session-Ended", refused.response.headers["session-ended"], "true");
  expect("the page can read WWW-Authenticate", /^Bearer/.test(refused.response.headers["www-authenticate"]), true);
  return steps;
}

globalThis.clients = { "ra-data-django-rest-framework": raDataDjango, "axios-auth-refresh": axiosAuthRefresh, ...own };
