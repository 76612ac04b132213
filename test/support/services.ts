import { systemRandom } from "../../src/core/runtime/random.ts";
import type { ServiceScope } from "../../src/core/store/services.ts";
import { createServiceCredential } from "../../src/crypto/service-credential.ts";
import type { TestAuth } from "./auth.ts";

/** A service with its credential, and both forms of the header that carries it. */
export interface TestService {
  readonly name: string;
  readonly credential: string;
  readonly basic: { readonly Authorization: string };
  readonly bearer: { readonly Authorization: string };
}

/** Returns the header that carries a credential as the password of `name`. */
export const toBasic = (name: string, credential: string) => ({
  Authorization: `Basic ${Buffer.from(`${name}:${credential}`).toString("base64")}`,
});

/** Adds a service to the store of an `auth`. */
export async function addService(
  { store }: Pick<TestAuth, "store">,
  scopes: readonly ServiceScope[],
  name = "billing",
): Promise<TestService> {
  const { credential, hash: credentialHash, prefix } = createServiceCredential(systemRandom);
  const service = await store.services.create({ name, scopes, credentialHash, prefix });
  if (service === null) throw new Error(`there is a service ${name} already`);
  return { name, credential, basic: toBasic(name, credential), bearer: { Authorization: `Bearer ${credential}` } };
}
