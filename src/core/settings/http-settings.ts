/** Paths, headers and proxies. */
export interface HttpSettings {
  /** The path of the token endpoints. Default: "/api/token". */
  readonly tokenPath: string;
  /**
   * The path of the cookie endpoints. The refresh and device cookies also have this path, with `publicPath` in front of it.
   * Default: "/api/auth".
   */
  readonly authPath: string;
  /**
   * The path prefix that a proxy removes before it forwards a request, such as "/account". The paths of cookies and the
   * links of the page then begin with this prefix. Default: none.
   */
  readonly publicPath: string | undefined;
  /** The header that carries a bearer token. Default: "Authorization". */
  readonly authHeaderName: string;
  /** The schemes that this header may have, compared case-insensitively. Default: ["Bearer"]. */
  readonly authHeaderTypes: readonly string[];
  /**
   * The proxies whose `forwardedHeader` is trusted: IP addresses, networks such as "10.0.0.0/8", and "unix" for a proxy that
   * connects through a unix socket. Default: none.
   */
  readonly trustedProxies: readonly string[];
  /**
   * The header in which trusted proxies send the client's address: "X-Forwarded-For" or "Forwarded" (RFC 7239).
   * Default: "X-Forwarded-For".
   */
  readonly forwardedHeader: "X-Forwarded-For" | "Forwarded";
}

/** Names and attributes of the cookies, and protection against CSRF. */
export interface CookieSettings {
  /** The cookie that holds the access token. Default: "__Host-Http-access". */
  readonly accessCookieName: string;
  /** The cookie that holds the refresh token. Default: "__Secure-refresh". */
  readonly refreshCookieName: string;
  /** The cookie that holds the CSRF token. Scripts may read it. Default: "__Host-csrftoken". */
  readonly csrfCookieName: string;
  /**
   * The cookie that marks a known device. Failed logins on other devices don't lock a known device out. Default:
   * "__Secure-device".
   */
  readonly deviceCookieName: string;
  /** The header in which scripts send the CSRF token back. Default: "X-CSRFToken". */
  readonly csrfHeaderName: string;
  /**
   * The `SameSite` attribute of the access and CSRF cookies. The refresh and device cookies are always Strict. Default:
   * "Lax".
   */
  readonly cookieSameSite: "Strict" | "Lax" | "None";
  /**
   * The `Domain` attribute of the cookies. It can't be combined with cookie names that start with `__Host-`. Default: none,
   * so that only this host gets the cookies.
   */
  readonly cookieDomain: string | undefined;
  /**
   * Whether to allow cookies over plain http. They then have no `Secure` attribute and no name prefixes, and an unsafe
   * request needs `Sec-Fetch-Site` or `Origin`. Default: false.
   */
  readonly insecureCookies: boolean;
  /**
   * Whether `{authPath}/check/` refuses an unsafe request by cookie if it has no CSRF token or comes from another
   * origin, as every other endpoint does. Set it to false only for proxies whose applications all have their own CSRF
   * protection. Default: true.
   */
  readonly checkCsrf: boolean;
  /**
   * Whether a logout also tells the browser to delete what it has cached from this origin (`Clear-Site-Data: "cache"`).
   * Browsers with large caches then take seconds to log out. Default: false.
   */
  readonly clearSiteData: boolean;
  /**
   * Other origins whose pages may use the endpoints, such as "https://app.example.com". "https://*.example.com" means
   * every host below the domain, but not the domain itself. App pages, such as "capacitor://localhost", can use bearer
   * tokens but not cookies. Default: none.
   */
  readonly trustedOrigins: readonly string[];
}

/** Limits for failed logins and for requests. All addresses of an IPv6 /64 network count as one. */
export interface ThrottleSettings {
  /**
   * How many consecutive failed logins lock an account until an operator unlocks it, at most 100 (NIST SP 800-63B-4
   * §3.2.2). The last tenth of these attempts is reserved for known devices. 0 turns this off. Default: 100.
   */
  readonly maxLoginFailures: number;
  /**
   * After how many failed logins on one account, from one address or one known device, delays begin. 0 turns this off.
   * Default: 5.
   */
  readonly loginFailuresBeforeDelay: number;
  /**
   * After how many failed logins on one account, from all addresses together, delays begin. 0 turns this off. Default: 20.
   */
  readonly accountFailuresBeforeDelay: number;
  /**
   * After how many failed logins within an hour from one address, on all accounts together, delays begin. 0 turns this off.
   * Default: 50.
   */
  readonly addressFailuresBeforeDelay: number;
  /** The first delay after failed logins, in seconds. It doubles with every further failure. Default: 5. */
  readonly loginDelay: number;
  /** The longest delay after failed logins, in seconds. Default: 900 (15 minutes). */
  readonly maxLoginDelay: number;
  /**
   * How many refreshes and second steps of a login, together, each node accepts per minute from one address. 0 turns the limit
   * off. Default: 3000.
   */
  readonly refreshLimit: number;
  /** How many verify requests per minute each node accepts from one address. 0 turns the limit off. Default: 6000. */
  readonly verifyLimit: number;
  /**
   * How many requests to `{tokenPath}/blacklist/` per minute each node accepts from one address. 0 turns the limit off.
   * Default: 600.
   */
  readonly blacklistLimit: number;
  /**
   * How many requests per minute with a wrong service credential each node accepts from one address. Beyond that, the node
   * checks only credentials that it has accepted before. 0 turns the limit off. Default: 60.
   */
  readonly serviceFailureLimit: number;
}
