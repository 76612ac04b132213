import { safeNext } from "tokenpair";
import { Greeting } from "../greeting";
import { LoginForm } from "./login-form";

export default async function Login({ searchParams }: { searchParams: Promise<{ next?: string }> }) {
  const { next } = await searchParams;
  return (
    <main>
      <h1>Log in</h1>
      <Greeting />
      <LoginForm next={safeNext(next, "http://localhost") ?? "/"} />
    </main>
  );
}
