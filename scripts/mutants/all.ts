import { authenticationMutants } from "./authentication.ts";
import { clientMutants } from "./client.ts";
import { feedHttpMutants } from "./feed-http.ts";
import { keyMutants } from "./keys.ts";
import type { Mutant } from "./mutant.ts";
import { securityMutants } from "./security.ts";
import { signatureMutants } from "./signatures.ts";
import { survivors } from "./survivors.ts";
import { verifierMutants } from "./verifier.ts";

/** Every mutant, of all lists. */
export const mutants: readonly Mutant[] = [
  ...survivors,
  ...securityMutants,
  ...keyMutants,
  ...signatureMutants,
  ...feedHttpMutants,
  ...verifierMutants,
  ...authenticationMutants,
  ...clientMutants,
];
