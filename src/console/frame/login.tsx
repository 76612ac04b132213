import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { ClientError, type LogoutReason } from "../../client/index.ts";
import { logoutMessages, toMessage } from "../../page/messages.ts";
import { useParts } from "../data/context.ts";
import { Field } from "../parts/change-fields.tsx";
import { leavePages } from "../parts/head.tsx";
import { Plain } from "./plain.tsx";

/** The form that staff log in with. `reason` says why the user is no longer logged in. */
export function Login({ reason }: { readonly reason: LogoutReason | undefined }): ReactNode {
  const { client } = useParts();
  const form = useRef<HTMLFormElement>(null);
  const [fault, setFault] = useState("");
  const [isRunning, setRunning] = useState(false);
  useEffect(() => {
    form.current?.querySelector("input")?.focus();
    leavePages();
  }, []);

  async function logIn(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    if (isRunning) return;
    const values = new FormData(event.currentTarget);
    setRunning(true);
    setFault("");
    try {
      const [username, password] = [String(values.get("username")), String(values.get("password"))];
      await client.login({ username, password, remember: false });
    } catch (error) {
      setRunning(false);
      setFault(
        error instanceof ClientError && error.code === "second_factor_required"
          ? "This account needs a second factor. Log in on your application's own page, then open the console again."
          : toMessage(error),
      );
      form.current?.querySelector<HTMLElement>('[name="password"]')?.focus();
    }
  }

  return (
    <Plain title="Log in">
      <section className="card login">
        <h1>Log in</h1>
        {reason === undefined ? null : (
          <p className="state caution" role="status">
            {logoutMessages[reason]}
          </p>
        )}
        <form ref={form} className="dialog-form" onSubmit={(event) => void logIn(event)}>
          <Field field={{ name: "username", label: "Username" }} autoComplete="username" />
          <Field field={{ name: "password", label: "Password", type: "password" }} autoComplete="current-password" />
          <p className="state bad" role="alert" hidden={fault === ""}>
            {fault}
          </p>
          <button type="submit" className="primary" aria-disabled={isRunning}>
            {isRunning ? "Logging in…" : "Log in"}
          </button>
        </form>
        <p className="quiet">Only staff can use the console.</p>
      </section>
    </Plain>
  );
}
