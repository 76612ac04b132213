import type { Endpoint } from "../endpoint.ts";
import { activity } from "./activity.ts";
import { check } from "./check.ts";
import { cookieConfirm } from "./cookie/confirm.ts";
import { cookieCsrf } from "./cookie/csrf.ts";
import { cookieLogin } from "./cookie/login.ts";
import { cookieLoginContinue } from "./cookie/login-continue.ts";
import { cookieLogout } from "./cookie/logout.ts";
import { cookiePassword } from "./cookie/password.ts";
import { cookieRefresh } from "./cookie/refresh.ts";
import { cookieSessionsDelete, cookieSessionsLabel, cookieSessionsList } from "./cookie/sessions.ts";
import { jwks } from "./jwks.ts";
import { me } from "./me.ts";
import { metadata } from "./metadata.ts";
import { revocations, revocationsApplied } from "./revocations.ts";
import { sessionEvents } from "./session-events.ts";
import { tokenBlacklist } from "./token/blacklist.ts";
import { tokenContinue } from "./token/continue.ts";
import { tokenIntrospect } from "./token/introspect.ts";
import { tokenObtain } from "./token/obtain.ts";
import { tokenRefresh } from "./token/refresh.ts";
import { tokenRevoke } from "./token/revoke.ts";
import { tokenVerify } from "./token/verify.ts";

/** Every endpoint but that of the OpenAPI document, in the order of the HTTP contract. */
export const endpoints: readonly Endpoint[] = Object.freeze([
  tokenObtain,
  tokenContinue,
  tokenRefresh,
  tokenVerify,
  tokenBlacklist,
  me,
  cookieCsrf,
  cookieLogin,
  cookieLoginContinue,
  cookieRefresh,
  cookieLogout,
  cookieSessionsList,
  cookieSessionsDelete,
  cookieSessionsLabel,
  cookiePassword,
  cookieConfirm,
  sessionEvents,
  activity,
  jwks,
  metadata,
  tokenIntrospect,
  tokenRevoke,
  check,
  revocations,
  revocationsApplied,
]);
