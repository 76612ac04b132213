import { describe, expect, it } from "vitest";
import { resolveSettings } from "../../../src/core/settings/resolve.ts";
import { createStrippedPrefixWarning, type PublicPathFault } from "../../../src/server/observe/stripped-prefix.ts";

const origin = "http://auth.example";
const session = { "X-CSRFToken": "s1.m", Cookie: "__Host-csrftoken=s1.m; __Host-Http-access=a.b.c" };

/** Returns the warnings for these requests. */
function look(requests: readonly Request[], publicPath?: string): readonly PublicPathFault[] {
  const warnings: PublicPathFault[] = [];
  const settings = resolveSettings(publicPath === undefined ? {} : { publicPath });
  const warn = createStrippedPrefixWarning(settings, (fault) => warnings.push(fault));
  for (const request of requests) warn(request);
  return warnings;
}

const get = (path: string, headers: HeadersInit = {}) => new Request(`${origin}${path}`, { headers });
const refresh = (headers: HeadersInit = session) =>
  new Request(`${origin}/api/auth/refresh/`, { method: "POST", headers });

describe("the warning of a wrong publicPath", () => {
  it("is given once if a proxy says that it removed another prefix", () => {
    const request = () => get("/", { "X-Forwarded-Prefix": "/account/" });
    expect(look([request(), request()])).toEqual([{ fault: "prefix", prefix: "/account" }]);
    expect(look([request()], "/users")).toEqual([{ fault: "prefix", prefix: "/account" }]);
    expect(look([request()], "/account")).toEqual([]);
  });

  it("is not given for a header that is not a path, which any client can send", () => {
    for (const prefix of ["", "/", "//", "/a/../b", "/a b", '/"', "https://x.example/"]) {
      expect(look([get("/", { "X-Forwarded-Prefix": prefix })])).toEqual([]);
    }
  });

  it("is given if a browser with a session refreshes without the refresh cookie", () => {
    expect(look([refresh()])).toEqual([{ fault: "no-refresh-cookie" }]);
  });

  it.each<[string, Request]>([
    ["with the refresh cookie", refresh({ ...session, Cookie: `${session.Cookie}; __Secure-refresh=d.e.f` })],
    [
      "with two refresh cookies",
      refresh({ ...session, Cookie: `${session.Cookie}; __Secure-refresh=d; __Secure-refresh=e` }),
    ],
    ["without a session", refresh({ "X-CSRFToken": "n1.m", Cookie: "__Host-csrftoken=n1.m" })],
    ["without cookies", refresh({})],
    ["with a bearer token", refresh({ ...session, Authorization: "Bearer a.b.c" })],
    ["of another endpoint", get("/api/auth/me/", session)],
  ])("is not given for a refresh %s", (_, request) => {
    expect(look([request])).toEqual([]);
  });

  it("is given if the proxy doesn't remove publicPath", () => {
    expect(look([get("/account/api/auth/csrf/")], "/account")).toEqual([{ fault: "not-removed" }]);
    expect(look([get("/api/auth/csrf/")], "/account")).toEqual([]);
  });
});
