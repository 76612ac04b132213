import { z } from "zod";
import { toTokenLimits, withCookies } from "../../cookies/cookies.ts";
import { prepareIssuedCookies } from "../../cookies/issued-cookies.ts";
import { defineEndpoint, type RequestContext } from "../../endpoint.ts";
import { csrfFailed, csrfHeader, setCookie } from "../../openapi/cookie-responses.ts";
import { loginRefused, throttled, unavailable } from "../../openapi/responses.ts";
import { booleanField, checkboxField, passwordField, usernameField } from "../../request/fields.ts";
import { loginMediaTypes, readMediaType } from "../../request/media-types.ts";
import { formLoginFields, readFormLogin, toFormRefusal, toFormSuccess } from "./form-login.ts";
import { requireLoginRequest } from "./login-request.ts";
import { loggedInSchema, toLoginResponse } from "./login-response.ts";

const credentials = { username: usernameField, password: passwordField };

/**
 * `POST {authPath}/login`: starts a session for this browser and revokes the session that it had. A form is answered with a
 * redirect.
 */
export const cookieLogin = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/login`,
  operationId: "logIn",
  summary: "Log in with cookies.",
  errorStyle: "token",
  cors: "trusted_with_cookies",
  headers: [csrfHeader],
  body: {
    accepts: loginMediaTypes,
    schema: z.object({
      ...credentials,
      remember: booleanField(true).meta({
        description: "Whether the browser keeps the cookies when it closes. Default: true.",
      }),
    }),
    formSchema: z.object({ ...credentials, remember: checkboxField(), ...formLoginFields }),
  },
  responses: {
    200: {
      description: "The user and the new session. The tokens are in the cookies.",
      headers: [{ ...setCookie("Sets the access, refresh, CSRF and device cookies."), required: true }],
      schema: loggedInSchema,
    },
    303: {
      description:
        "The answer to a form: a redirect to the page `next`, or to the page `failed` with `error` in its query.",
      headers: [
        { name: "Location", description: "The page.", schema: z.string(), required: true },
        setCookie("Sets the access, refresh, CSRF and device cookies, if the login succeeded."),
      ],
    },
    401: loginRefused,
    403: csrfFailed,
    429: throttled,
    503: unavailable,
  },
  async handle(context) {
    if (readMediaType(context.request.headers) !== "application/x-www-form-urlencoded") return logIn(context);
    const form = await readFormLogin(context);
    try {
      return toFormSuccess(await logIn(context, form.csrfToken), form);
    } catch (error) {
      return toFormRefusal(context, error, form);
    }
  },
});

type Login = RequestContext<z.infer<z.ZodObject<typeof credentials>> & { readonly remember: boolean }>;

async function logIn(context: Login, csrfField?: string): Promise<Response> {
  const { deps, client, readBody } = context;
  const { device, replaces } = await requireLoginRequest(context, csrfField);
  const { username, password, remember } = await readBody();

  const toCookies = prepareIssuedCookies(deps);
  const answer = { tokenLimits: toTokenLimits(deps.settings), readsPublicClaims: true };
  const loggedIn = await deps.flows.login({ username, password }, { remember, client, replaces, device, ...answer });
  return withCookies(toLoginResponse(loggedIn), toCookies(loggedIn));
}
