/** The cookies of one browser. Scripts can read only `csrftoken`. */
export type CookieJar = Map<string, string>;

/** A session, and what the server knows about its last rotation. */
export interface FakeSession {
  readonly id: string;
  /** The name that the user was created with. */
  readonly username: string;
  readonly user: FakeUser;
  generation: number;
  previousKey: string | null;
  rotatedAt: number;
  /** How often the password was changed by this session. Its earlier access tokens don't count any more. */
  epoch: number;
  /** The last change of the password. */
  change: { readonly key: string | null; readonly generation: number } | null;
  /** The ticket of its login, and the idempotency key with which it was used. */
  ticket?: string | undefined;
  /** When the password was entered last, in milliseconds. An access token says when that was at its issue. */
  confirmedAt: number;
  /** Detail and code of the response to a refresh, as JSON, if the session was revoked. */
  revoked: string | null;
}

/** A user, as the server sends it. */
export interface FakeUser {
  readonly id: string;
  username: string;
  /** What a `publicClaims` hook says. */
  claims?: object;
}

/** The server, and what a test may change about it. */
export interface FakeServer {
  readonly fetch: (jar: CookieJar, input: string | Request, init?: RequestInit) => Promise<Response>;
  /** The requests in the order of their arrival. `line` is for example `POST /api/auth/refresh/`. */
  readonly requests: SeenRequest[];
  /** Returns how many requests of this `line` have arrived. */
  readonly count: (line: string) => number;
  readonly sessions: Map<string, FakeSession>;
  /** The failures of the next requests. */
  readonly faults: Fault[];
  /** How long a request and a response travel. Milliseconds. */
  latency: number;
  /** Seconds. */
  accessLifetime: number;
  /** Further claims of access tokens. */
  claims: object;
  /** Whether a login needs the code `123456` after the password. */
  asksForCode: boolean;
  /** Whether the server answers like version 0.1: without names of sessions and without `Session-Ended`. */
  isOld: boolean;
  /** The name of the header with the CSRF token. */
  csrfHeader: string;
  /** The users by the name they were created with. */
  readonly users: ReadonlyMap<string, FakeUser>;
  /** Revokes a session. `detail` and `code` are those of the response to a refresh. */
  readonly revoke: (sessionId: string, detail?: string, code?: string) => void;
}

/** A request that has arrived. */
export interface SeenRequest {
  readonly line: string;
  readonly url: string;
  readonly headers: Headers;
  readonly credentials: string;
  readonly body: string;
}

/** The failure of the next requests whose path contains `on`. */
export interface Fault {
  readonly on: string;
  /** A number is the milliseconds by which the response is late. */
  readonly kind: "offline" | "lost response" | "hang" | number | Response;
  readonly times?: number;
}
