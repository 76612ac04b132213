import { toPasswordCost } from "../../core/settings/password-cost.ts";
import { toPeppers } from "../../core/settings/peppers.ts";
import type { HasherSettings } from "../passwords.ts";
import { isWeaker } from "./argon2.ts";
import { isDjangoFormat, parseStoredHash } from "./stored-hash.ts";

/** What happens to a hash at the next login of its user. */
export type HashFormState =
  | { readonly state: "current" | "outdated" | "django" | "unverifiable" }
  | { readonly state: "pepper_missing"; readonly pepperId: string };

/** A salt and a hash with the same lengths as in new hashes. */
const anySaltAndHash = `$${"A".repeat(22)}$${"A".repeat(43)}`;

/** Returns what happens to hashes of one form under these settings. The forms are those that `countHashForms` returns. */
export function toHashFormState(form: string, settings: HasherSettings): HashFormState {
  if (isDjangoFormat(form)) {
    const isLetIn = form !== "md5" || settings.acceptMd5PasswordHashes;
    return { state: isLetIn ? "django" : "unverifiable" };
  }
  const stored = parseStoredHash(`${form}${anySaltAndHash}`);
  if (stored.outcome !== "own") return { state: "unverifiable" };
  const ids = toPeppers(settings.passwordPeppers).map(({ id }) => id);
  const pepperId = stored.hash.keyId?.toString("latin1");
  if (pepperId !== undefined && !ids.includes(pepperId)) return { state: "pepper_missing", pepperId };
  const isOutdated = isWeaker(stored.hash, toPasswordCost(settings)) || pepperId !== ids[0];
  return { state: isOutdated ? "outdated" : "current" };
}
