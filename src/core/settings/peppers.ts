import { SettingError } from "./setting-error.ts";

/** A secret that is part of the input of password hashes and is not in the database. */
export interface Pepper {
  /** The pepper's name. It is stored in every hash that was made with this pepper. */
  readonly id: string;
  readonly key: string;
}

/** The form of an item of `passwordPeppers`: `id:key`. The PHC string format limits the id to eight bytes. */
export const pepperPattern = /^([A-Za-z0-9_-]{1,8}):([!-+\--~]{16,})$/;

/** Splits the items of `passwordPeppers`, which must match `pepperPattern`. */
export function toPeppers(texts: readonly string[]): readonly Pepper[] {
  return texts.map((text) => {
    const [, id = "", key = ""] = pepperPattern.exec(text) ?? [];
    return { id, key };
  });
}

/**
 * Checks that no two peppers have the same id.
 *
 * @param name how the caller's setting is called.
 * @throws SettingError if two have.
 */
export function requireDifferentIds(name: string, texts: readonly string[]): void {
  const ids = toPeppers(texts).map(({ id }) => id);
  if (new Set(ids).size === ids.length) return;
  throw new SettingError(name, "must have different ids. Give the new pepper its own id.");
}
