/** A user's id and name. An application's own users may have no name here, or any. */
export interface Named {
  readonly id: string;
  readonly username: string | null;
}

/** The characters that turn the text around them: the explicit ones of the bidirectional algorithm (UAX #9). */
const turning = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

/** Returns what a user is called in elements of their own: the name, or the id without one. */
export const toName = ({ id, username }: Named): string =>
  username === null || username.trim() === "" ? id : username;

/**
 * Returns a name for the middle of a sentence, so that it can't turn the words around it. A name of ASCII letters is returned as it is.
 */
export function quoteName(name: string): string {
  return /^[\x20-\x7E]*$/.test(name) ? name : `\u2068${name.replace(turning, "")}\u2069`;
}
