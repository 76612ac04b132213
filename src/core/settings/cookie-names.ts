import type { Settings } from "./settings.ts";

/** The settings that name the cookies. */
export type CookieNameSettings = Pick<
  Settings,
  "accessCookieName" | "refreshCookieName" | "csrfCookieName" | "deviceCookieName" | "insecureCookies"
>;

/** The names of the cookies. */
export interface CookieNames {
  /** The name of the cookie with the access token. */
  readonly access: string;
  /** The name of the cookie with the refresh token. */
  readonly refresh: string;
  /** The name of the cookie with the CSRF token. */
  readonly csrf: string;
  /** The name of the cookie that marks a known device. */
  readonly device: string;
}

/** Returns the configured names. With `insecureCookies`, drops the prefixes that browsers accept only on secure cookies. */
export function toCookieNames(settings: CookieNameSettings): CookieNames {
  const { insecureCookies } = settings;
  const toName = (name: string) => (insecureCookies ? name.replace(/^__(?:Host-Http|Host|Secure|Http)-/i, "") : name);
  return {
    access: toName(settings.accessCookieName),
    refresh: toName(settings.refreshCookieName),
    csrf: toName(settings.csrfCookieName),
    device: toName(settings.deviceCookieName),
  };
}
