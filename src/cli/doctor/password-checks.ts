import type { Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store/index.ts";
import type { AuthUser } from "../../core/user.ts";
import { type HashFormState, toHashFormState } from "../../crypto/passwords/hash-form.ts";
import { toCount, withoutControls } from "../format.ts";
import { type Check, fail, ok } from "./check.ts";

const name = "password hashes";

/** Whether every user's hash can be verified, and how many the next login brings up to date. */
export async function checkPasswordHashes(store: Store, settings: Settings<AuthUser>): Promise<Check> {
  const counts = new Map<HashFormState["state"], number>();
  const missing = new Set<string>();
  for (const { form, users } of await store.users.countHashForms()) {
    const hashes = toHashFormState(form, settings);
    counts.set(hashes.state, (counts.get(hashes.state) ?? 0) + users);
    if (hashes.state === "pepper_missing") missing.add(withoutControls(hashes.pepperId));
  }
  const locked = counts.get("pepper_missing");
  if (locked !== undefined) {
    const ids = [...missing].join(", ");
    return fail(name, `${toCount(locked, "user")} cannot log in; put the pepper ${ids} back into passwordPeppers`);
  }
  const said = texts.flatMap(([state, text]) => (counts.has(state) ? [`${counts.get(state)} ${text}`] : []));
  return ok(name, said.length === 0 ? "there are none yet" : said.join(", "));
}

const texts: readonly (readonly [HashFormState["state"], string])[] = [
  ["current", "up to date"],
  ["outdated", "of smaller parameters or another pepper, until the next login"],
  ["django", "of Django, until the next login"],
  ["unverifiable", "that no password opens"],
];
