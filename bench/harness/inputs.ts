/** Makes as many strings as are asked for, of `texts` in turn: each of its own, which nobody has read or hashed yet. */
export function toFreshStrings(texts: readonly string[]): (count: number) => readonly string[] {
  const bytes = texts.map((text) => Buffer.from(text, "latin1"));
  let next = 0;
  return (count) => Array.from({ length: count }, () => (bytes[next++ % bytes.length] as Buffer).toString("latin1"));
}
