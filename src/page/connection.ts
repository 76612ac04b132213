import type { Client, Problem } from "../client/index.ts";
import { problems, toProblem } from "./messages.ts";

/** Watches over the connection, and says quietly what is the matter with it. */
export interface Connection {
  /** A request has failed with `error`, or, with `undefined`, has been answered. */
  readonly report: (error: unknown) => void;
}

const keepsTrying = " You stay logged in; this page keeps trying.";

/** Writes into `banner` what is the matter, and empties it when all is well. */
export function watchConnection(client: Client, banner: HTMLElement): Connection {
  let reported: Problem | undefined;

  function show(): void {
    const { status, problem: found } = client.session();
    const isLoggedIn = status === "authenticated";
    const problem = found ?? (navigator.onLine ? isLoggedIn && reported : "offline");
    const text = problem ? `${problems[problem]}${isLoggedIn ? keepsTrying : ""}` : "";
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
