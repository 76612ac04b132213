import type { ClientInfo } from "../core/client-info.ts";
import { toPeppers } from "../core/settings/peppers.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { Store } from "../core/store/index.ts";
import type { ImportedBatch, ImportedUser, ImportOutcome } from "../core/store/users.ts";
import { toUsernameKey } from "../core/username.ts";
import { parseStoredHash } from "../crypto/passwords/stored-hash.ts";
import type { EventsOf } from "../events/events.ts";
import { type CommitDeps, commit } from "./commit.ts";
import { findUsernameFault, maxEmailLength } from "./user-fields.ts";

/** A user as another system has kept it. Times are whole seconds since the epoch. */
export interface ForeignUser {
  /** Without one, the user gets the next number. */
  readonly id?: string;
  readonly username: string;
  readonly email: string | null;
  /** As it was stored there; `null`, nothing, or Django's `!…`: no password logs this user in. */
  readonly passwordHash: string | null;
  readonly isActive: boolean;
  readonly isStaff: boolean;
  /** `null`: now. */
  readonly createdAt: number | null;
  readonly lastLoginAt: number | null;
}

/** What became of a user: created, there already (by id and name), or refused, with a reason that holds no hash. */
export type ImportAnswer =
  | { readonly outcome: "created" | "same" }
  | { readonly outcome: "refused"; readonly reason: string };

export interface ImportDeps extends CommitDeps {
  readonly store: Pick<Store, "users">;
  readonly settings: Pick<Settings, "usernameCaseSensitive" | "acceptMd5PasswordHashes" | "passwordPeppers">;
}

export interface ImportOptions {
  /** Answers as if, and changes nothing. Keeps the ids and names of the whole import in memory. Default: false. */
  readonly dryRun?: boolean;
  readonly client?: ClientInfo;
}

/** An import: takes one batch after another, each in one transaction, and answers for every user, in order. */
export function createUserImport(deps: ImportDeps, { dryRun = false, client = {} }: ImportOptions = {}) {
  const settle = createRehearsal();
  const usersImported: EventsOf<ImportedBatch> = ({ outcomes, now: time }) =>
    outcomes
      .filter(({ outcome }) => outcome === "created")
      .map(({ userId }) => ({ type: "user_changed", time, userId, change: "imported", client }));

  return async function importUsers(users: readonly ForeignUser[]): Promise<readonly ImportAnswer[]> {
    const faults = users.map((user) => findFault(deps, user));
    const sound = users.filter((_, index) => faults[index] === null).map((user) => toImportedUser(deps, user));
    const batch = dryRun
      ? await deps.store.users.importBatch(sound, { dryRun })
      : await commit(deps, usersImported, (audit) => deps.store.users.importBatch(sound, { audit }));
    const answers = batch.outcomes.map((outcome, index) => {
      const user = sound[index] as ImportedUser;
      if (dryRun) return toAnswer(user, settle(user, outcome));
      return toAnswer(user, outcome);
    });
    return faults.map((fault) => (fault === null ? (answers.shift() as ImportAnswer) : refused(fault)));
  };
}

/** What is wrong with a user, whoever else there is; `null` where nothing is. */
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

function toImportedUser({ settings }: ImportDeps, user: ForeignUser): ImportedUser {
  const { passwordHash } = user;
  const isUsable = passwordHash !== null && parseStoredHash(passwordHash).outcome !== "unusable";
  return {
    ...user,
    username: user.username.trim(),
    usernameKey: toUsernameKey(user.username, settings.usernameCaseSensitive),
    passwordHash: isUsable ? passwordHash : null,
  };
}

function toAnswer({ username }: ImportedUser, { outcome, userId }: ImportOutcome): ImportAnswer {
  switch (outcome) {
    case "created":
    case "same":
      return { outcome };
    case "id_taken":
      return refused(`The id ${userId} belongs to a user of another name.`);
    case "name_taken":
      return refused(`The name ${username} is taken by the user with the id ${userId}.`);
  }
}

const refused = (reason: string) => ({ outcome: "refused", reason }) as const;

/** In a dry run, also finds users of earlier batches in the way, who are not in the store. */
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
