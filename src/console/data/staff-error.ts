/** What is known about a request that failed. */
export interface StaffFailure {
  /** The status of the response, or 0 without one. */
  readonly status: number;
  readonly code: string;
  /** The server's words. */
  readonly text: string;
  /** The server's words about each field of the request. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Seconds to wait before another try. */
  readonly retryAfter?: number;
}

/** A request to the staff API that failed. */
export class StaffError extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly retryAfter: number;

  constructor({ status, code, text, fields = {}, retryAfter = 0 }: StaffFailure) {
    super(text === "" ? code : text);
    this.name = "StaffError";
    this.status = status;
    this.code = code;
    this.fields = fields;
    this.retryAfter = retryAfter;
  }
}

const texts: Readonly<Record<string, string>> = {
  offline: "The server can't be reached.",
  timeout: "The server didn't answer in time.",
  unavailable: "The server can't answer at the moment.",
  throttled: "Too many requests. Try again shortly.",
  not_found: "This doesn't exist, or no longer.",
  not_staff: "Your account has no role.",
  session_changed: "Another login in this browser has replaced yours. Nothing was changed.",
  confirmation_required: "Enter your password to confirm that it's you.",
  last_admin: "This is the last active admin who can log in. Make another user an admin first.",
};

/** Returns the text that is shown for an error. */
export function toErrorText(error: unknown): string {
  if (!(error instanceof Error)) return "Something went wrong.";
  const { code } = error as { readonly code?: unknown };
  const own = typeof code === "string" && Object.hasOwn(texts, code) ? texts[code] : undefined;
  return own ?? (error.message === "" ? "Something went wrong." : error.message);
}

/** Returns whether the same request may succeed a little later. */
export function isTransient(error: unknown): boolean {
  return error instanceof StaffError && (error.status === 0 || error.status >= 500);
}
