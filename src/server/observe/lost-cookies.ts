import { isLoopbackHostname } from "../../core/addresses.ts";
import type { Settings } from "../../core/settings/settings.ts";

/**
 * Creates a function that is called with every request. It calls `warn` once, for the first request to the cookie endpoints
 * from a page of this host that was loaded over plain http. Browsers don't keep secure cookies of such a page, unless the
 * host is localhost. Behind a proxy that terminates TLS, the page is loaded over https.
 */
export function createLostCookieWarning(
  { authPath, insecureCookies }: Pick<Settings, "authPath" | "insecureCookies">,
  warn: () => void,
): (request: Request) => void {
  let isDone = insecureCookies;
  return ({ headers, url }) => {
    if (isDone) return;
    const page = headers.get("Origin") ?? headers.get("Referer") ?? "";
    if (!page.startsWith("http://") || !URL.canParse(page)) return;
    const { host, hostname } = new URL(page);
    const own = new URL(url);
    if (host !== own.host || !own.pathname.startsWith(`${authPath}/`) || isLoopbackHostname(hostname)) return;
    isDone = true;
    warn();
  };
}
