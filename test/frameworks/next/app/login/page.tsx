import { safeNext } from "tokenpair";
import { LoginForm } from "./login-form";

export default async function Login({ searchParams }: { searchParams: Promise<{ next?: string }> }) {
  const { next } = await searchParams;
  return (
    <main>
      <h1>Log in</h1>
      <LoginForm next={safeNext(next, "http://localhost") ?? "/"} />
    </main>
  );
}
