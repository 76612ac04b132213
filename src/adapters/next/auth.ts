/**
 * The `Auth` of an application, or a function that returns it. Pass the function of `sharedAuth`, so that `next build` opens no
 * database.
 */
export type AuthSource<A extends object> = A | (() => A | Promise<A>);

/** Returns the `Auth` of a source. */
export async function toAuth<A extends object>(source: AuthSource<A>): Promise<A> {
  return typeof source === "function" ? source() : source;
}
