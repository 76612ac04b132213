import { toUsernameKey } from "../core/username.ts";

const minLength = 8;

/** A username of one or two letters is part of too many good passwords. */
const minTellingUsername = 3;

/** What is wrong with a new password, as a sentence for its owner, or `null`. Lengths are in characters. */
export function findPasswordFault(password: string, username: string): string | null {
  if ([...password].length < minLength) {
    return `This password is too short. It must contain at least ${minLength} characters.`;
  }
  const name = toUsernameKey(username, false);
  const holdsName = [...name].length >= minTellingUsername && toUsernameKey(password, false).includes(name);
  return holdsName ? "The password is too similar to the username." : null;
}
