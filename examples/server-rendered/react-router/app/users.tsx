import { createContext, type MiddlewareFunction, Outlet } from "react-router";
import type { Authentication } from "tokenpair";
import { getAuth } from "./auth.server.ts";

export const userContext = createContext<Authentication>();

const requirePage: MiddlewareFunction<Response> = async ({ request, context }, next) => {
  const auth = await getAuth();
  const checked = await auth.checkPage(request, { loginPath: "/login" });
  if (!checked.ok) return checked.response;
  context.set(userContext, checked.authentication);
  return next();
};

export const middleware = [requirePage];

// Without any loader, the router shows a route without asking the server.
export const loader = () => null;

export default function Users() {
  return <Outlet />;
}
