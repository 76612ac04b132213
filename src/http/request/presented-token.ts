import { z } from "zod";
import type { BodyDescription, BodyReader } from "./body.ts";
import { tokenField } from "./fields.ts";
import { serviceMediaTypes } from "./media-types.ts";
import { RequestError } from "./request-error.ts";

/**
 * The body of a service's request about a token. `token_type_hint` is ignored, because the token itself contains its type.
 */
export interface PresentedTokenBody {
  /** The token, not yet verified. */
  readonly token: string;
}

/** The body that the endpoints of RFC 7662 and RFC 7009 accept. */
export const presentedTokenBody: BodyDescription<PresentedTokenBody> = {
  accepts: serviceMediaTypes,
  schema: z.object({ token: tokenField.meta({ description: "The access or refresh token." }) }),
};

/**
 * Returns the token in the body.
 *
 * @throws RequestError 400 with `invalid_request` (RFC 6749 §5.2) if there is no token or the body can't be parsed. 413 if
 * the body is too large. 415 if its media type is not accepted.
 */
export async function readPresentedToken({
  readBody,
}: Pick<BodyReader<PresentedTokenBody>, "readBody">): Promise<string> {
  try {
    return (await readBody()).token;
  } catch (error) {
    const isMalformed = error instanceof RequestError && error.status === 400;
    throw isMalformed ? new RequestError(400, { error: "invalid_request" }) : error;
  }
}
