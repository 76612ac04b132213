import type { ClientInfo } from "../../core/client-info.ts";
import type { Role } from "../../core/role.ts";
import { toPeppers } from "../../core/settings/peppers.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store/index.ts";
import type { ImportedBatch, ImportedUser, ImportOutcome } from "../../core/store/users.ts";
import { parseStoredHash } from "../../crypto/passwords/stored-hash.ts";
import type { EventsOf } from "../../events/events.ts";
import { type CommitDeps, commit } from "../commit.ts";
import { findUsernameFault, maxEmailLength } from "./user-fields.ts";
import { toStoredKey } from "./username-keys.ts";

/** A user of another system. Times are whole seconds since the epoch. */
export interface ForeignUser {
  /** The user's id. Default: the next number. */
  readonly id?: string;
  readonly username: string;
  /** The email address, or `null` if the user has none. */
  readonly email: string | null;
  /**
   * The hash as the other system stored it. If it is `null`, empty, or one of Django's unusable passwords (`!…`), the user
   * can't log in with a password.
   */
  readonly passwordHash: string | null;
  readonly isActive: boolean;
  readonly role: Role | null;
  /** When the user was created. `null` means now. */
  readonly createdAt: number | null;
  /** When the user last logged in. `null` means never. */
  readonly lastLoginAt: number | null;
}

/**
 * The result of importing one user. `same`: the user already exists with the same id and name or, if no id was given, with
 * the same name. `refused`: the user was not imported, and `reason` is a sentence for the operator that contains no hash.
 */
export type ImportAnswer =
  | { readonly outcome: "created" | "same" }
  | { readonly outcome: "refused"; readonly reason: string };

/** The dependencies of an import: fewer than `Deps`, so that a CLI without a signing key can provide them. */
export interface ImportDeps extends CommitDeps {
  readonly store: Pick<Store, "users">;
  readonly settings: Pick<Settings, "usernameCaseSensitive" | "acceptMd5PasswordHashes" | "passwordPeppers">;
}

/** The options of an import. */
export interface ImportOptions {
  /**
   * Whether to return the results that an import would have, without changing anything. A dry run keeps all ids and names
   * in memory. Default: false.
   */
  readonly dryRun?: boolean;
  /** Who runs the import. Default: nothing is known. */
  readonly client?: ClientInfo;
}

/** Imports one batch of users in one transaction. Returns a result for every user, in the order of the users. */
export type UserImport = (users: readonly ForeignUser[]) => Promise<readonly ImportAnswer[]>;

/** Creates an import. Call the returned function with one batch after another. */
export function createUserImport(deps: ImportDeps, { dryRun = false, client = {} }: ImportOptions = {}): UserImport {
  const rehearse = createRehearsal();
  const usersImported: EventsOf<ImportedBatch> = ({ outcomes, now: time }) =>
    outcomes
      .filter(({ outcome }) => outcome === "created")
      .map(({ userId }) => ({ type: "user_changed", time, userId, change: "imported", client }));

  return async (users) => {
    const answers: ImportAnswer[] = [];
    const sound: { readonly index: number; readonly user: ImportedUser }[] = [];
    for (const [index, user] of users.entries()) {
      const fault = findFault(deps, user);
      if (fault === null) sound.push({ index, user: await toImportedUser(deps, user) });
      else answers[index] = refused(fault);
    }
    const imported = sound.map(({ user }) => user);
    const batch = dryRun
      ? await deps.store.users.importBatch(imported, { dryRun })
      : await commit(deps, usersImported, (audit) => deps.store.users.importBatch(imported, { audit }));
    for (const [number, { index, user }] of sound.entries()) {
      const outcome = batch.outcomes[number] as ImportOutcome;
      answers[index] = toAnswer(user, dryRun ? rehearse(user, outcome) : outcome);
    }
    return answers;
  };
}

/**
 * Returns what is wrong with a user, as a sentence, or `null` if nothing is wrong. Doesn't check whether another user has
 * the name.
 */
function findFault(deps: ImportDeps, { id, username, email, passwordHash }: ForeignUser): string | null {
  if (id !== undefined && !/^[^\s\p{C}]{1,128}$/u.test(id)) {
    return "An id has 1 to 128 characters, without spaces and control characters.";
  }
  const fault = findUsernameFault(username);
  if (fault !== null) return fault;
  if (email !== null && (email.length > maxEmailLength || /[\p{Cc}\p{Surrogate}]/u.test(email))) {
    return `An email address has at most ${maxEmailLength} characters, without control characters.`;
  }
  return findHashFault(deps, passwordHash ?? "");
}

function findHashFault({ settings }: ImportDeps, encoded: string): string | null {
  const stored = parseStoredHash(encoded, { acceptMd5: settings.acceptMd5PasswordHashes });
  if (stored.outcome === "refused") return `The stored hash ${stored.reason}.`;
  const keyId = stored.outcome === "own" ? stored.hash.keyId : null;
  const isKnown = keyId === null || toPeppers(settings.passwordPeppers).some(({ id }) => keyId.equals(Buffer.from(id)));
  return isKnown ? null : "The stored hash needs a pepper that is not among passwordPeppers.";
}

async function toImportedUser(deps: ImportDeps, user: ForeignUser): Promise<ImportedUser> {
  const { passwordHash } = user;
  const isUsable = passwordHash !== null && parseStoredHash(passwordHash).outcome !== "unusable";
  return {
    ...user,
    username: user.username.trim(),
    usernameKey: await toStoredKey(deps, user.username),
    passwordHash: isUsable ? passwordHash : null,
  };
}

function toAnswer({ username }: ImportedUser, { outcome, userId }: ImportOutcome): ImportAnswer {
  switch (outcome) {
    case "created":
    case "same":
      return { outcome };
    case "id_taken":
      return refused(`The id ${userId} belongs to a user with a different name.`);
    case "name_taken":
      return refused(`The name ${username} is taken by the user with the id ${userId}.`);
  }
}

const refused = (reason: string) => ({ outcome: "refused", reason }) as const;

/**
 * Creates the function that corrects the results of a dry run. It also considers the users of earlier batches, who are not
 * in the store.
 */
function createRehearsal(): (user: ImportedUser, outcome: ImportOutcome) => ImportOutcome {
  const keyOf = new Map<string, string>();
  const idOf = new Map<string, string>();
  return ({ id, usernameKey }, answer) => {
    if (answer.outcome !== "created") return answer;
    const holder = idOf.get(usernameKey);
    if (id !== undefined && keyOf.has(id)) {
      return { outcome: keyOf.get(id) === usernameKey ? "same" : "id_taken", userId: id };
    }
    if (holder !== undefined) return { outcome: id === undefined ? "same" : "name_taken", userId: holder };
    if (id !== undefined) keyOf.set(id, usernameKey);
    idOf.set(usernameKey, answer.userId);
    return answer;
  };
}
