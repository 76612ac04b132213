/** A finding of `tokenpair doctor` and of the console's page Health. */
export interface Check {
  /** The part or the setting that was checked. */
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  /** The finding and, unless the status is "ok", what to do. These are full sentences. */
  readonly detail: string;
}

/** Returns a finding that needs no action. */
export const ok = (name: string, detail: string): Check => ({ name, status: "ok", detail });

/** Returns a finding that makes the server less safe. */
export const warn = (name: string, detail: string): Check => ({ name, status: "warn", detail });

/** Returns a finding that stops the server from working or loses data. */
export const fail = (name: string, detail: string): Check => ({ name, status: "fail", detail });
