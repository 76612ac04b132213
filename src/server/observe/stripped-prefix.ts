import { settingRules } from "../../core/settings/rules.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { type CookieHeaderSettings, readCookies } from "../../http/cookies/cookies.ts";

/** Why `publicPath` seems to be wrong. */
export type PublicPathFault =
  /** A proxy says that it removed `prefix`, but `publicPath` has a different value. */
  | { readonly fault: "prefix"; readonly prefix: string }
  /**
   * A browser with a session sent a refresh without the refresh cookie. It does this if the cookie has a different path.
   */
  | { readonly fault: "no-refresh-cookie" }
  /** A request came with `publicPath` in its path, so no proxy removes it. */
  | { readonly fault: "not-removed" };

/**
 * Creates a function that is called with every request. It calls `warn` once, for the first request that shows that
 * `publicPath` is not the prefix that a proxy removes from the path. In that case, the cookies have the wrong path, and
 * browsers don't send the refresh cookie.
 */
export function createStrippedPrefixWarning(
  settings: CookieHeaderSettings & Pick<Settings, "csrfHeaderName">,
  warn: (fault: PublicPathFault) => void,
): (request: Request) => void {
  const { publicPath = "", authPath } = settings;
  let isDone = false;

  function find({ method, headers, url }: Request): PublicPathFault | null {
    const prefix = headers.get("X-Forwarded-Prefix")?.replace(/\/+$/, "");
    // A client may send any text.
    if (prefix && prefix !== publicPath && settingRules.publicPath.pattern.test(prefix)) {
      return { fault: "prefix", prefix };
    }
    const { pathname } = new URL(url);
    if (publicPath !== "" && pathname.startsWith(`${publicPath}${authPath}/`)) return { fault: "not-removed" };
    const isRefresh = method === "POST" && pathname.replace(/\/$/, "") === `${authPath}/refresh`;
    if (!isRefresh || headers.has("Authorization")) return null;
    const { csrf, refresh, refreshCandidates } = readCookies(headers, settings);
    const hasSession = csrf?.startsWith("s") === true && headers.get(settings.csrfHeaderName) === csrf;
    return hasSession && refresh === undefined && refreshCandidates === undefined
      ? { fault: "no-refresh-cookie" }
      : null;
  }

  return (request) => {
    if (isDone) return;
    const fault = find(request);
    if (fault === null) return;
    isDone = true;
    warn(fault);
  };
}
