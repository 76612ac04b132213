import type { Auth } from "../../index.ts";
import { findAddress, toOwnRequest, toRequestLike } from "./request.ts";

/** What the server knows about the session: a state of the browser's client. */
export type InitialSession =
  | {
      /** Whether the client must find out, or no user is logged in. */
      readonly status: "loading" | "anonymous";
    }
  | {
      /** A user is logged in. */
      readonly status: "authenticated";
      /** The session's id. */
      readonly sessionId: string;
      /** The user, with what the hook `publicClaims` returns. */
      readonly user: { readonly id: string; readonly username: string; readonly claims?: unknown };
    };

/** The response of `{authPath}/me`. */
interface Me {
  readonly id: string;
  readonly username: string;
  readonly claims?: unknown;
  readonly session: { readonly id: string };
}

/**
 * Returns the state that the client would have after its first request. It is `loading` if only the client can tell: the access
 * token has expired, but the browser has a session.
 */
export async function readInitialSession(
  sent: Headers,
  auth: Pick<Auth, "fetch" | "resume">,
  authPath = "/api/auth",
): Promise<InitialSession> {
  const headers = new Headers();
  for (const name of ["cookie", "host", "x-forwarded-for", "x-forwarded-host"]) {
    const value = sent.get(name);
    if (value !== null) headers.set(name, value);
  }
  const [own, connection] = toOwnRequest(new Request(`https://host.invalid${authPath}/me`, { headers }), findAddress);
  const response = await auth.fetch(own, connection);
  if (response.ok) {
    const { id, username, claims, session } = (await response.json()) as Me;
    return { status: "authenticated", sessionId: session.id, user: { id, username, claims } };
  }
  // A page that refreshes is for browsers with a session only.
  const like = toRequestLike(headers, "GET");
  const document = new Headers([...(like.headers as Headers), ["accept", "text/html,*/*"]]);
  const isResumable = response.status !== 401 || auth.resume({ ...like, headers: document }) !== null;
  return { status: isResumable ? "loading" : "anonymous" };
}
