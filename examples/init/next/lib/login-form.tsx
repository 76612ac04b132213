"use client";

import { useState } from "react";
import { client } from "./session";

export function LoginForm({ next }: { next: string }) {
  const [problem, setProblem] = useState("");
  async function logIn(form: FormData) {
    try {
      await client.login({ username: String(form.get("username")), password: String(form.get("password")) });
      window.location.assign(next); // a page load: what the router has cached is from before the login
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  }
  return (
    <form action={logIn}>
      <input name="username" aria-label="Name" autoComplete="username" required />
      <input name="password" aria-label="Password" type="password" autoComplete="current-password" required />
      <button type="submit">Log in</button>
      <p role="alert">{problem}</p>
    </form>
  );
}
