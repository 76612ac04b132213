import type { Endpoint } from "./endpoint.ts";
import { cookieCsrf } from "./routes/cookie-csrf.ts";
import { cookieLogin } from "./routes/cookie-login.ts";
import { cookieLogout } from "./routes/cookie-logout.ts";
import { cookiePassword } from "./routes/cookie-password.ts";
import { cookieRefresh } from "./routes/cookie-refresh.ts";
import { cookieSessionsDelete, cookieSessionsLabel, cookieSessionsList } from "./routes/cookie-sessions.ts";
import { jwks } from "./routes/jwks.ts";
import { me } from "./routes/me.ts";
import { tokenBlacklist } from "./routes/token-blacklist.ts";
import { tokenObtain } from "./routes/token-obtain.ts";
import { tokenRefresh } from "./routes/token-refresh.ts";
import { tokenVerify } from "./routes/token-verify.ts";

/** Every endpoint, in the order of the contract. */
export const endpoints: readonly Endpoint[] = Object.freeze([
  tokenObtain,
  tokenRefresh,
  tokenVerify,
  tokenBlacklist,
  me,
  cookieCsrf,
  cookieLogin,
  cookieRefresh,
  cookieLogout,
  cookieSessionsList,
  cookieSessionsDelete,
  cookieSessionsLabel,
  cookiePassword,
  jwks,
]);
