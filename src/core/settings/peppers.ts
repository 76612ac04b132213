/** A secret that goes into password hashes and is not in the database. */
export interface Pepper {
  /** Stands in every hash that it went into. */
  readonly id: string;
  readonly key: string;
}

/** `id:key`, as `passwordPeppers` has it. The PHC string format gives a key's name eight bytes. */
export const pepperPattern = /^([A-Za-z0-9_-]{1,8}):([!-+\--~]{16,})$/;

/** The peppers of `passwordPeppers`, each a text that matches `pepperPattern`. */
export function toPeppers(texts: readonly string[]): readonly Pepper[] {
  return texts.map((text) => {
    const [, id = "", key = ""] = pepperPattern.exec(text) ?? [];
    return { id, key };
  });
}
