/** What the server tells the page about itself, as attributes of `html`. */
export interface PageSettings {
  readonly authPath: string;
  readonly csrfCookie: string;
  /** Whether passwords are the server's to change, and not those of an application's own user table. */
  readonly hasPasswords: boolean;
}

export function readSettings({ authPath, csrfCookie, passwords }: DOMStringMap): PageSettings {
  return {
    authPath: authPath ?? "/api/auth",
    csrfCookie: csrfCookie ?? "__Host-csrftoken",
    hasPasswords: passwords !== "elsewhere",
  };
}
