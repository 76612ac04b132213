/** The settings that the server writes into attributes of the `html` element. */
export interface PageSettings {
  /** The path of the server's cookie endpoints, as this browser sees it. */
  readonly authPath: string;
  /** The name of the CSRF cookie. */
  readonly csrfCookie: string;
  /** The name of the header that carries the CSRF token. Absent if it is the client's default. */
  readonly csrfHeaderName?: string;
  /** Whether the server stores the passwords. It doesn't if the application has its own user table. */
  readonly hasPasswords: boolean;
  /** Whether this page has the demonstration: with `--demo`, on the server's own machine. */
  readonly hasDemo: boolean;
}

/** Reads the settings from the attributes of the `html` element. */
export function readSettings({ authPath, csrfCookie, csrfHeaderName, passwords, demo }: DOMStringMap): PageSettings {
  return {
    authPath: authPath ?? "/api/auth",
    csrfCookie: csrfCookie ?? "__Host-csrftoken",
    ...(csrfHeaderName && { csrfHeaderName }),
    hasPasswords: passwords !== "elsewhere",
    hasDemo: demo === "on",
  };
}
