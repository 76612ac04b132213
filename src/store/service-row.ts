import type { Service, ServiceScope } from "../core/store/services.ts";

/** A row of `services`. Its scopes are one text, separated by spaces. */
export type ServiceRow<S extends Service = Service> = Omit<S, "scopes"> & { readonly scopes: string };

/** Converts the scopes of a service to the form in which they are stored. */
export function toScopeText(scopes: readonly ServiceScope[]): string {
  return scopes.join(" ");
}

/**
 * Converts a row to a service. A newer version may have stored a scope that this version doesn't know. Such a scope allows
 * nothing.
 */
export function toService<S extends Service>({ scopes, ...row }: ServiceRow<S>): S {
  return { ...row, scopes: scopes.split(" ") } as unknown as S;
}
