import { safeNext } from "tokenpair";
import { LoginForm } from "../../lib/login-form";

export default async function Login({ searchParams }: { searchParams: Promise<{ next?: string }> }) {
  const { next } = await searchParams;
  return <LoginForm next={safeNext(next, process.env["APP_ORIGIN"] ?? "http://localhost:3000") ?? "/account"} />;
}
