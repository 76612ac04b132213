/** A secret that goes into password hashes and is not in the database. */
export interface Pepper {
  /** Part of every hash that the key went into. */
  readonly id: string;
  readonly key: string;
}

/** `id:key`, an item of `passwordPeppers`. The PHC string format gives a key's name eight bytes. */
export const pepperPattern = /^([A-Za-z0-9_-]{1,8}):([!-+\--~]{16,})$/;

/** Splits the items of `passwordPeppers`, which must match `pepperPattern`. */
export function toPeppers(texts: readonly string[]): readonly Pepper[] {
  return texts.map((text) => {
    const [, id = "", key = ""] = pepperPattern.exec(text) ?? [];
    return { id, key };
  });
}
