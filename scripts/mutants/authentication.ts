import type { Mutant } from "./mutant.ts";

const secondFactor = "test/flows/second-factor.test.ts";
const confirmation = "test/flows/reauthenticate.test.ts";
const impersonation = "test/flows/impersonation.test.ts";
const formLogin = "test/http/routes/cookie/form-login.test.ts";
const browserSessions = "test/auth/browser-sessions.test.ts";
const store = "test/store/sqlite/contract.test.ts";

/** Mutants of second steps, confirmations, actors, and sessions of other logins. */
export const authenticationMutants: readonly Mutant[] = [
  {
    name: "a ticket can be used twice",
    file: "src/store/sqlite/tickets.ts",
    find: "used_at IS NULL AND expires_at > :now",
    replace: "expires_at > :now",
    tests: [store],
  },
  {
    name: "an expired ticket can be used",
    file: "src/store/sqlite/tickets.ts",
    find: "used_at IS NULL AND expires_at > :now",
    replace: "used_at IS NULL AND :now > 0",
    tests: [store],
  },
  {
    name: "a ticket has any number of attempts",
    file: "src/flows/second-factor/complete.ts",
    find: "if (!(await store.tickets.countAttempt(hash, maxAttempts))) {",
    replace: "if (!(await store.tickets.countAttempt(hash, maxAttempts * 100))) {",
    tests: [secondFactor],
  },
  {
    name: "the right password clears the count of wrong second steps",
    file: "src/flows/login.ts",
    find: "await passAttempt(deps, attempt);",
    replace: "await acceptAttempt(deps, attempt, verified.user);",
    tests: [secondFactor],
  },
  {
    name: "who has waited for the first step waits again for the second",
    file: "src/flows/login.ts",
    find: "await passAttempt(deps, attempt);",
    replace: "await undoAttempt(deps, attempt);",
    tests: [secondFactor],
  },
  {
    name: "a hook that returns no methods skips the second step",
    file: "src/flows/second-factor/require.ts",
    find: "if (isList) return methods as string[];",
    replace: "if (isList) return methods as string[];\n  if (Date.now() > 0) return null;",
    tests: [secondFactor],
  },
  {
    name: "a completed login is repeated for any idempotency key",
    file: "src/flows/second-factor/repeat.ts",
    find: "!isSameHash(session.currentHash, hashSecret(secret))",
    replace: "!isSameHash(hashSecret(secret), hashSecret(secret))",
    tests: [secondFactor],
  },
  {
    name: "a proof is looked at again if a completed login is repeated",
    file: "src/flows/second-factor/complete.ts",
    find: "if (repeated !== null) return repeated;",
    replace: "if (repeated === null && Date.now() < 0) return await Promise.reject(repeated);",
    tests: [secondFactor],
  },
  {
    name: "an error shows its ticket to a log",
    file: "src/core/errors.ts",
    find: "    this.#secondFactor = options.secondFactor;",
    replace:
      "    this.#secondFactor = options.secondFactor;\n    Object.assign(this, { shown: options.secondFactor });",
    tests: [secondFactor],
  },
  {
    name: "a session with an actor can be confirmed",
    file: "src/store/sqlite/sessions.ts",
    find: "coalesce(:userEpoch, user_epoch) AND actor IS NULL",
    replace: "coalesce(:userEpoch, user_epoch)",
    tests: [store],
  },
  {
    name: "a confirmation counts for a password that has changed since",
    file: "src/flows/reauthenticate.ts",
    find: '{ found, userEpoch: found.epoch, methods: "pwd", client, tokenLimits }',
    replace: '{ found, userEpoch: null, methods: "pwd", client, tokenLimits }',
    tests: [confirmation],
  },
  {
    name: "a token that doesn't say when its user was authenticated is recent enough",
    file: "src/core/require-authentication.ts",
    find: "(claims.authTime !== null && clock.now() - claims.authTime <= maxAge)",
    replace: "clock.now() - (claims.authTime ?? clock.now()) <= maxAge",
    tests: [confirmation],
  },
  {
    name: "one of the required methods is enough",
    file: "src/core/require-authentication.ts",
    find: "amr.every((method) => claims.amr.includes(method))",
    replace: "(amr.length === 0 || amr.some((method) => claims.amr.includes(method)))",
    tests: [confirmation],
  },
  {
    name: "an actor's session counts as a recent authentication of the user",
    file: "src/core/require-authentication.ts",
    find: "if (claims.actor !== null) throw",
    replace: 'if (claims.actor === "") throw',
    tests: [confirmation],
  },
  {
    name: "an actor can log the user out elsewhere",
    file: "src/flows/sessions/logout.ts",
    find: "  await requireNoActor(deps, sessionId);\n",
    replace: "  await requireNoActor(deps, userId);\n",
    tests: [impersonation],
  },
  {
    name: "an actor's session lives as long as the user's",
    file: "src/flows/sessions/issue.ts",
    find: "actor === undefined ? settings.sessionLifetime : Math.min(actorLifetime, settings.sessionLifetime)",
    replace: "actor === undefined ? settings.sessionLifetime : Math.max(actorLifetime, settings.sessionLifetime)",
    tests: [impersonation],
  },
  {
    name: "a login form needs no CSRF token",
    file: "src/http/cookies/checks.ts",
    find: "const token = field ?? readHeader",
    replace: "const token = (field === undefined ? undefined : cookie) ?? readHeader",
    tests: [formLogin],
  },
  {
    name: "the page after a login can be on another host",
    file: "src/core/safe-next.ts",
    find: "if (target !== own || ",
    replace: "if (own === undefined || ",
    tests: ["test/core/safe-next.test.ts"],
  },
  {
    name: "the path of a page can name a host",
    file: "src/core/safe-next.ts",
    find: ' || password !== "" || beginsAnotherHost(pathname)) return null;',
    replace: ' || password !== "" || beginsAnotherHost("/")) return null;',
    tests: ["test/core/safe-next.test.ts"],
  },
  {
    name: "another login leaves the session that the browser had",
    file: "src/create-logins.ts",
    find: "const browser = { replaces: findReplaced(deps, request), ",
    replace: "const browser = { replaces: Date.now() < 0 ? findReplaced(deps, request) : undefined, ",
    tests: [browserSessions],
  },
  {
    name: "a page's form replaces the CSRF token of a session that it can't see",
    file: "src/http/cookies/browser-csrf.ts",
    find: "if (!isOfHiddenSession(deps, cookies) || cookies.csrf === undefined) return",
    replace: "if (isOfHiddenSession(deps, cookies) || cookies.csrf === undefined || Date.now() > 0) return",
    tests: [browserSessions],
  },
];
