import { proxy } from "tokenpair/next";
import { getAuth } from "./lib/auth";

export default proxy(getAuth, { protect: ["/account"], resume: (path) => path === "/", loginPath: "/login" });

export const config = { runtime: "nodejs", matcher: ["/((?!_next/static|_next/image|api/).*)"] };
