/** The maximum number of values that say how a user was authenticated. */
export const maxMethods = 8;

/** The maximum number of characters of one of these values. */
const maxMethodLength = 12;

/** The maximum number of characters of an actor's name. */
export const maxActorLength = 64;

/** Values at least as long as any session's, to measure a token with. */
export const longestAmr: readonly string[] = Object.freeze(
  Array.from({ length: maxMethods }, () => "x".repeat(maxMethodLength)),
);

/**
 * Converts the values that say how a user was authenticated to the form in which they are stored: with spaces between them, each
 * once.
 *
 * @param caller the function that the application called. The error names it.
 * @throws TypeError if there are none or too many, or one has characters other than letters, digits, ".", "_" and "-".
 */
export function toAmrText(amr: readonly string[], caller: string): string {
  if (!Array.isArray(amr)) throw new TypeError(`${caller}: amr must be a list. Example: amr: ["otp"]`);
  const values = [...new Set(amr)];
  if (values.length === 0 || values.length > maxMethods) {
    throw new TypeError(
      `${caller}: amr must have 1 to ${maxMethods} values, got ${values.length}. Example: amr: ["otp"]`,
    );
  }
  const wrong = values.find((value) => typeof value !== "string" || !methodPattern.test(value));
  if (wrong === undefined) return values.join(" ");
  throw new TypeError(
    `${caller}: a value of amr must be 1 to ${maxMethodLength} letters, digits, ".", "_" or "-". Example: amr: ["otp"]`,
  );
}

const methodPattern = new RegExp(`^[A-Za-z0-9._-]{1,${maxMethodLength}}$`);

/** Converts the stored form of `amr` to the list of its values. */
export function toAmr(text: string | null): readonly string[] {
  return text === null ? [] : text.split(" ");
}

/**
 * Returns the name of an actor.
 *
 * @param caller the function that the application called. The error names it.
 * @throws TypeError if it is not a text that a token and the audit log can hold.
 */
export function toActor(actor: string, caller: string): string {
  if (typeof actor === "string" && actorPattern.test(actor)) return actor;
  throw new TypeError(
    `${caller}: actor must be 1 to ${maxActorLength} printable ASCII characters without spaces and quotes. ` +
      'Example: actor: "support/bob"',
  );
}

/** JSON writes these characters as they are, so the length of a token is known from the length of the name. */
const actorPattern = new RegExp(String.raw`^[\x21\x23-\x5b\x5d-\x7e]{1,${maxActorLength}}$`);

/**
 * What a request requires of the authentication of its user, besides a valid access token. An actor who acts for the user is
 * refused with `impersonated`, because the user hasn't been authenticated in its session.
 */
export interface AuthenticationRequirement {
  /**
   * How long ago the user may have been authenticated, by a login or a confirmation, in whole seconds. A request with an older
   * authentication is refused with `confirmation_required`. Default: any time.
   */
  readonly maxAge?: number | undefined;
  /** The methods by which the user must have been authenticated in this session: all of them, such as `["otp"]`. Default: any. */
  readonly amr?: readonly string[] | undefined;
}

/**
 * Makes sure that a requirement makes sense, and that no name in it is misspelt, which would require nothing.
 *
 * @param caller the function that the application called. The error names it.
 * @throws TypeError that says what is wrong.
 */
export function checkRequirement(requirement: AuthenticationRequirement, caller: string): void {
  const names = typeof requirement === "object" && requirement !== null ? Object.keys(requirement) : ["this"];
  const unknown = names.find((name) => name !== "maxAge" && name !== "amr");
  if (unknown !== undefined)
    throw new TypeError(`${caller}: ${unknown} is not an option. The options are maxAge and amr.`);
  checkRequiredValues(requirement, caller);
}

/** Makes sure that the requirement in options that may have other members makes sense. */
export function checkRequiredValues({ maxAge, amr }: AuthenticationRequirement, caller: string): void {
  if (amr !== undefined) toAmrText(amr, caller);
  if (maxAge === undefined || (Number.isSafeInteger(maxAge) && maxAge > 0)) return;
  throw new TypeError(`${caller}: maxAge must be a positive whole number of seconds. Example: maxAge: minutes(10)`);
}
