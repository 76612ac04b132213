/** The settings that the server writes into attributes of the `html` element. */
export interface ConsoleSettings {
  /** The path of the console, as this browser sees it. */
  readonly basePath: string;
  /** The path of the staff API. */
  readonly adminPath: string;
  /** The path of the authentication endpoints. */
  readonly authPath: string;
  /** The name of the CSRF cookie. */
  readonly csrfCookie: string;
  /** The name of the header that carries the CSRF token. Absent if it is the client's default. */
  readonly csrfHeaderName?: string;
}

/** Reads the settings from the attributes of the `html` element. */
export function readSettings(attributes: DOMStringMap): ConsoleSettings {
  const { basePath, adminPath, authPath, csrfCookie, csrfHeaderName } = attributes;
  return {
    basePath: basePath ?? "/console",
    adminPath: adminPath ?? "/api/admin",
    authPath: authPath ?? "/api/auth",
    csrfCookie: csrfCookie ?? "__Host-csrftoken",
    ...(csrfHeaderName && { csrfHeaderName }),
  };
}
