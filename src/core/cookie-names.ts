import type { Settings } from "./settings.ts";

/** The names under which a browser keeps the two tokens and the CSRF token. */
export interface CookieNames {
  readonly access: string;
  readonly refresh: string;
  readonly csrf: string;
}

/** The configured names; with `insecureCookies` without the prefixes that a browser accepts on secure cookies only. */
export function toCookieNames({
  accessCookieName,
  refreshCookieName,
  csrfCookieName,
  insecureCookies,
}: Pick<Settings, "accessCookieName" | "refreshCookieName" | "csrfCookieName" | "insecureCookies">): CookieNames {
  const toName = (name: string) => (insecureCookies ? name.replace(/^__(?:Host-Http|Host|Secure|Http)-/i, "") : name);
  return { access: toName(accessCookieName), refresh: toName(refreshCookieName), csrf: toName(csrfCookieName) };
}
