import { expect, it } from "vitest";
import { createLostCookieWarning } from "../../../src/server/observe/lost-cookies.ts";

const csrf = "http://192.168.1.7:8000/api/auth/csrf/";
const page = "http://192.168.1.7:8000/";

/** Returns how often the warning was given for these requests. */
function countWarnings(requests: readonly (readonly [url: string, headers: HeadersInit])[], insecureCookies = false) {
  let warnings = 0;
  const look = createLostCookieWarning({ authPath: "/api/auth", insecureCookies }, () => warnings++);
  for (const [url, headers] of requests) look(new Request(url, { headers }));
  return warnings;
}

it("warns once if a page over plain http uses the cookie endpoints, which its Referer or Origin tells", () => {
  expect(countWarnings([[csrf, { Referer: page }]])).toBe(1);
  expect(countWarnings([[csrf, { Origin: "http://192.168.1.7:8000" }]])).toBe(1);
  expect(
    countWarnings([
      [csrf, { Referer: page }],
      [csrf, { Referer: page }],
    ]),
  ).toBe(1);
});

it.each<[string, string, HeadersInit]>([
  ["at localhost", "http://localhost:8000/api/auth/csrf/", { Referer: "http://localhost:8000/" }],
  ["at 127.0.0.1", "http://127.0.0.1:8000/api/auth/csrf/", { Referer: "http://127.0.0.1:8000/" }],
  ["over https behind a proxy", "http://auth.example/api/auth/csrf/", { Referer: "https://auth.example/" }],
  ["of another host", csrf, { Origin: "http://app.example" }],
  ["with a token endpoint", "http://192.168.1.7:8000/api/token/", { Origin: "http://192.168.1.7:8000" }],
  ["that doesn't say where it is", csrf, {}],
  ["with a Referer that is no URL", csrf, { Referer: "http://" }],
])("doesn't warn of a page %s", (_, url, headers) => {
  expect(countWarnings([[url, headers]])).toBe(0);
});

it("doesn't warn if insecureCookies is on", () => {
  expect(countWarnings([[csrf, { Referer: page }]], true)).toBe(0);
});
