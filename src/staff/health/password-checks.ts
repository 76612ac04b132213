import type { Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store/index.ts";
import { toCount, withoutControls } from "../../core/text.ts";
import type { AuthUser } from "../../core/user.ts";
import { type HashFormState, toHashFormState } from "../../crypto/passwords/hash-form.ts";
import { type Check, fail, ok } from "./check.ts";

const name = "password hashes";

/** Checks that every user's hash can be verified. Counts the hashes that will be replaced at the user's next login. */
export async function checkPasswordHashes(store: Store, settings: Settings<AuthUser>): Promise<Check> {
  const counts = new Map<HashFormState["state"], number>();
  const missing = new Set<string>();
  for (const { form, users } of await store.users.countHashForms()) {
    const hashes = toHashFormState(form, settings);
    counts.set(hashes.state, (counts.get(hashes.state) ?? 0) + users);
    if (hashes.state === "pepper_missing") missing.add(withoutControls(hashes.pepperId));
  }
  const lockedOut = counts.get("pepper_missing");
  if (lockedOut !== undefined) {
    const ids = [...missing].join(", ");
    return fail(name, `${toCount(lockedOut, "user")} can't log in. Add the pepper ${ids} to passwordPeppers again.`);
  }
  const found = descriptions.flatMap(([state, text]) => (counts.has(state) ? [`${counts.get(state)} ${text}`] : []));
  return ok(name, found.length === 0 ? "No password hashes yet." : `${found.join(", ")}.`);
}

const descriptions: readonly (readonly [HashFormState["state"], string])[] = [
  ["current", "up to date"],
  ["outdated", "with a lower cost or another pepper (replaced at the next login)"],
  ["django", "from Django (replaced at the next login)"],
  ["unverifiable", "unusable"],
];
