import { withNext } from "../../core/login-path.ts";
import type { Auth, AuthenticationOf } from "../../index.ts";
import { type AuthSource, toAuth } from "./auth.ts";
import { readLoginPath } from "./login-path.ts";
import { readSent, toRequestLike } from "./request.ts";
import { type InitialSession, readInitialSession } from "./session.ts";

/** The part of an `Auth` that pages need. */
export type PageAuth = Pick<Auth, "check" | "fetch" | "resume">;

/** The functions of `pages`, for server components. */
export interface Pages<A extends Pick<Auth, "check">> {
  /** Returns who sent the request, or `null`. */
  currentUser(): Promise<AuthenticationOf<A> | null>;
  /**
   * Returns who sent the request. If no user is logged in, redirects to the login page.
   *
   * @param options.next the path of this page, to return to it after the login. Ignored if longer than 2,048 characters. Default: none.
   */
  requireUser(options?: { readonly next?: string }): Promise<AuthenticationOf<A>>;
  /** Returns the state of the session for the `initial` property of `SessionProvider`. */
  initialSession(): Promise<InitialSession>;
}

/**
 * Returns the functions that server components and layouts call.
 *
 * @param options.loginPath the path of the login page. Default: "/login".
 * @param options.authPath the setting `authPath`, if you changed it. Default: "/api/auth".
 * @throws TypeError if `loginPath` isn't a path of this origin.
 * @example
 * export const { currentUser, requireUser, initialSession } = pages(getAuth, { loginPath: "/login" });
 */
export function pages<A extends PageAuth>(
  source: AuthSource<A>,
  options: { readonly loginPath?: string; readonly authPath?: string } = {},
): Pages<A> {
  const loginPath = readLoginPath(options, "pages", ["authPath"]);
  async function currentUser(): Promise<AuthenticationOf<A> | null> {
    const sent = await readSent();
    const auth = await toAuth(source);
    // Only unsafe requests and those of other origins have it: their page must be of this origin or a trusted one.
    const request = toRequestLike(sent, sent.has("origin") ? "POST" : "GET");
    const checked = await auth.check(request, { csrf: "stated-origin" });
    if (checked.ok) return checked.authentication as AuthenticationOf<A>;
    if (checked.response.status >= 500) throw new Error("tokenpair can't tell who is logged in: the store is down");
    return null;
  }
  async function requireUser({ next }: { readonly next?: string } = {}): Promise<AuthenticationOf<A>> {
    const { redirect } = await import("next/navigation.js");
    return (await currentUser()) ?? redirect(withNext(loginPath, next?.replaceAll(" ", "%20")));
  }
  async function initialSession(): Promise<InitialSession> {
    return readInitialSession(await readSent(), await toAuth(source), options.authPath);
  }
  return { currentUser, requireUser, initialSession };
}
