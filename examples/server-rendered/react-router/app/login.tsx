import { useState } from "react";
import { type LoaderFunctionArgs, useLoaderData } from "react-router";
import { safeNext } from "tokenpair";
import { client } from "./client.ts";

export function loader({ request }: LoaderFunctionArgs) {
  const { searchParams, origin } = new URL(request.url);
  return { next: safeNext(searchParams.get("next"), origin) ?? "/notes" };
}

export default function Login() {
  const { next } = useLoaderData<typeof loader>();
  const [problem, setProblem] = useState("");
  async function logIn(event: React.FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    try {
      await client.login({ username: String(form.get("username")), password: String(form.get("password")) });
      window.location.assign(next); // a page load: what the router has loaded is from before the login
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  }
  return (
    <>
      <h1>Log in</h1>
      <form onSubmit={logIn}>
        <input name="username" aria-label="Name" autoComplete="username" required />
        <input name="password" aria-label="Password" type="password" autoComplete="current-password" required />
        <button type="submit">Log in</button>
        <p role="alert">{problem}</p>
      </form>
    </>
  );
}
