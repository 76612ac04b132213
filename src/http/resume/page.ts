import { toLoginPrefix } from "../../core/login-path.ts";
import { toCookieNames } from "../../core/settings/cookie-names.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import { withStandardHeaders } from "../response/json.ts";
import type { Navigation } from "./navigation.ts";
import { policy, script, style } from "./script.ts";

/** What the page is about. */
export interface ResumePage {
  readonly navigation: Navigation;
  /** The CSRF token of the request. */
  readonly csrfToken: string;
  readonly loginPath: string;
  /** The address that the link leads to without JavaScript. */
  readonly loginAddress: string;
  /** The challenge that a 401 needs (RFC 9110 §15.5.2). */
  readonly challenge: string;
}

/** The request headers that decide whether a document gets this page. */
export const resumeVary = "Cookie, Accept, Sec-Fetch-Dest, Sec-Purpose";

/**
 * Returns the page that refreshes the session and then reloads. Its status is 401: it isn't what was asked for, so no cache,
 * crawler or prefetch may keep it. Browsers show it all the same.
 */
export function toResumeResponse(settings: Settings<AuthUser>, page: ResumePage): Response {
  return withStandardHeaders(
    new Response(toHtml(settings, page), {
      status: 401,
      headers: {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "X-Robots-Tag": "noindex",
        Vary: resumeVary,
        "WWW-Authenticate": page.challenge,
      },
    }),
  );
}

function toHtml(settings: Settings<AuthUser>, { navigation, csrfToken, loginPath, loginAddress }: ResumePage): string {
  const { publicPath = "", authPath, csrfHeaderName } = settings;
  const data = {
    auth: `${publicPath}${authPath}`,
    cookie: toCookieNames(settings).csrf,
    header: csrfHeaderName,
    login: toLoginPrefix(loginPath),
    // The end suffices to tell one token from the next, and doesn't give the token away.
    seen: csrfToken.slice(-16),
    form: navigation === "form" ? "1" : "",
  };
  const attributes = Object.entries(data).map(([name, value]) => ` data-${name}="${escapeHtml(value)}"`);
  const login = (address: string) => `<a href="${escapeHtml(address)}">Log in</a>`;
  return [
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">`,
    `<title>One moment…</title><style>${style}</style><body${attributes.join("")}>`,
    `<noscript>${login(loginAddress)}</noscript>`,
    `<p role="status">One moment…</p><p>${login(loginPath)}</p><script>${script}</script>`,
  ].join("\n");
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
