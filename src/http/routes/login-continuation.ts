import { z } from "zod";
import type { LoggedIn } from "../../flows/login.ts";
import type { LoginContinuation } from "../../flows/second-factor/complete.ts";
import type { RequestContext } from "../endpoint.ts";
import { badRequest, errorSchema, throttled, unavailable } from "../openapi/responses.ts";
import { tokenField } from "../request/fields.ts";
import { toPlainJson } from "../request/json.ts";
import { RequestError } from "../request/request-error.ts";
import { readIdempotencyKey } from "./token/refresh.ts";

/** The body of a request that continues a login. */
export const continuationSchema = z.looseObject({
  ticket: tokenField.meta({ description: "The ticket of the login. The other fields are the proof." }),
});

/** The refusals of a request that continues a login. */
export const continuationRefusals = {
  400: {
    ...badRequest,
    description:
      "The proof is wrong (`second_factor_invalid`), a field or `Idempotency-Key` is invalid, or the body can't be parsed.",
  },
  401: {
    description: "The ticket was used, has expired, or had too many attempts (`ticket_invalid`). Log in again.",
    schema: errorSchema,
  },
  404: { description: "The application doesn't verify second steps here.", schema: errorSchema },
  429: throttled,
  503: unavailable,
};

/** How the answers to a login differ. */
type AnswerOptions = Omit<LoginContinuation, "proof" | "client" | "idempotencyKey">;

/**
 * Continues a login with the ticket and the proof in the body.
 *
 * @param findOptions makes the endpoint's own checks before the body is read, and returns its options. Default: none.
 * @throws RequestError 404 if the application has no `verifySecondFactor`, and as `readBody`. AuthError `bad_idempotency_key`, and as
 * `completeLogin`.
 */
export async function continueLogin(
  { request, deps, client, readBody }: RequestContext<z.infer<typeof continuationSchema>>,
  findOptions: () => Promise<AnswerOptions> = async () => ({}),
): Promise<LoggedIn> {
  if (deps.settings.verifySecondFactor === undefined) {
    throw new RequestError(404, { detail: "Not found.", code: "not_found" });
  }
  const idempotencyKey = readIdempotencyKey(request.headers);
  const options = await findOptions();
  const { ticket, ...proof } = await readBody();
  return deps.flows.continueLogin(ticket, { ...options, proof: toPlainJson(proof), client, idempotencyKey });
}
