import type { Client, Problem } from "../client/index.ts";
import { problemMessages, toProblem } from "./messages.ts";

/** Shows problems with the connection in a banner. */
export interface Connection {
  /** Reports the outcome of a request: an error, or `undefined` for a success. */
  readonly report: (error: unknown) => void;
  /** Reports how a request ends, and returns it. */
  readonly watch: <T>(request: Promise<T>) => Promise<T>;
  /** Returns whether the last request that was reported failed because of the connection. */
  readonly hasProblem: () => boolean;
}

const stillLoggedIn = " You are still logged in.";

/**
 * Writes the current problem into `banner`. If there is no problem, empties the banner. A browser can report that it is
 * offline although it isn't, so a successful request has priority over the last event of `page`.
 */
export function watchConnection(
  client: Client,
  banner: Pick<HTMLElement, "textContent">,
  page: Pick<EventTarget, "addEventListener"> = window,
): Connection {
  let reported: Problem | undefined;
  let isOffline = false;

  function show(): void {
    const { status, problem: current } = client.session();
    const isLoggedIn = status === "authenticated";
    const problem = current ?? (isOffline ? "offline" : isLoggedIn && reported);
    const text = problem ? `${problemMessages[problem]}${isLoggedIn ? stillLoggedIn : ""}` : "";
    if (banner.textContent !== text) banner.textContent = text;
  }

  client.onChange(show);
  for (const event of ["online", "offline"]) {
    page.addEventListener(event, () => {
      isOffline = event === "offline";
      // Whether the server can be reached now is for the next request to find out.
      if (!isOffline) reported = undefined;
      show();
    });
  }
  show();

  function report(error: unknown): void {
    reported = toProblem(error);
    if (error === undefined) isOffline = false;
    show();
  }

  return {
    report,
    async watch(request) {
      await request.then(() => report(undefined), report);
      return request;
    },
    hasProblem: () => reported !== undefined,
  };
}
