import { createContext, data, type MiddlewareFunction, Outlet } from "react-router";
import type { Authentication } from "tokenpair";
import { getAuth } from "./auth.server.ts";

export const userContext = createContext<Authentication>();

const requirePage: MiddlewareFunction<Response> = async ({ request, context }, next) => {
  const auth = await getAuth();
  const checked = await auth.checkPage(request, { loginPath: "/login" });
  if (checked.ok) {
    context.set(userContext, checked.authentication);
    return next();
  }
  const { response } = checked;
  // The router reads JSON only in its own encoding. `ErrorBoundary` gets the status.
  if (response.headers.get("Content-Type") === "application/json") throw data(await response.json(), response);
  return response;
};

export const middleware = [requirePage];

// Without a loader, the router wouldn't ask the server before it shows a route without a loader.
export const loader = () => null;

export default function Users() {
  return <Outlet />;
}
