import type { Client, Problem } from "../client/index.ts";
import { problemMessages, toProblem } from "./messages.ts";

/** Shows problems with the connection in a banner. */
export interface Connection {
  /** Reports the outcome of a request: the error, or `undefined` for a success. */
  readonly report: (error: unknown) => void;
}

const stillLoggedIn = " You are still logged in.";

/** Writes the current problem into `banner`, and empties the banner if there is none. */
export function watchConnection(client: Client, banner: HTMLElement): Connection {
  let reported: Problem | undefined;

  function show(): void {
    const { status, problem: current } = client.session();
    const isLoggedIn = status === "authenticated";
    const problem = current ?? (navigator.onLine ? isLoggedIn && reported : "offline");
    const text = problem ? `${problemMessages[problem]}${isLoggedIn ? stillLoggedIn : ""}` : "";
    if (banner.textContent !== text) banner.textContent = text;
  }

  client.onChange(show);
  for (const event of ["online", "offline"]) window.addEventListener(event, show);
  show();
  return {
    report(error) {
      reported = toProblem(error);
      show();
    },
  };
}
