import type { Settings } from "./settings.ts";

/** The settings that name the cookies. */
export type CookieNameSettings = Pick<
  Settings,
  "accessCookieName" | "refreshCookieName" | "csrfCookieName" | "deviceCookieName" | "insecureCookies"
>;

/** The names under which a browser keeps the two tokens, the CSRF token and the proof of an earlier login. */
export interface CookieNames {
  readonly access: string;
  readonly refresh: string;
  readonly csrf: string;
  readonly device: string;
}

/** The configured names; with `insecureCookies` without the prefixes that a browser accepts on secure cookies only. */
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
