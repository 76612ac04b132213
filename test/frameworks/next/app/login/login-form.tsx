"use client";

import { useState } from "react";
import { client } from "../../lib/session";

export function LoginForm({ next }: { next: string }) {
  const [error, setError] = useState("");
  async function logIn(form: FormData) {
    const [username, password] = [String(form.get("username")), String(form.get("password"))];
    try {
      await client.login({ username, password });
      // A page load: what the router has cached is from before the login.
      window.location.assign(next);
    } catch (reason) {
      setError((reason as Error).message);
    }
  }
  return (
    <form action={logIn}>
      <input name="username" aria-label="Name" required />
      <input name="password" type="password" aria-label="Password" required />
      <button type="submit">Log in</button>
      <p role="alert">{error}</p>
    </form>
  );
}
