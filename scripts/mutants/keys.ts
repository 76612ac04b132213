import type { Mutant } from "./mutant.ts";

const ring = "test/keys/ring.test.ts";
const moving = "test/keys/moving.test.ts";
const hmacOnly = "test/keys/hmac-only.test.ts";
const rules = "test/flows/keys/rules.test.ts";

/** Mutants of the keys that nodes follow. */
export const keyMutants: readonly Mutant[] = [
  {
    name: "a replaced signing key verifies for ever",
    file: "src/keys/snapshot.ts",
    find: "return boundaries.isBefore(findEnd(record, stored, verifyingTime)) ? [material] : [];",
    replace: "return [material];",
    tests: [ring],
  },
  {
    name: "refresh tokens of version 0.1 are accepted for ever after the adoption",
    file: "src/keys/snapshot.ts",
    find: "const allowsRefresh = first !== undefined && boundaries.isBefore(lastRefresh);",
    replace: "const allowsRefresh = first !== undefined;",
    tests: [hmacOnly, moving],
  },
  {
    name: "the former HMAC key signs access tokens for ever",
    file: "src/keys/snapshot.ts",
    find: "access: boundaries.isBefore(lastAccess),",
    replace: "access: true,",
    tests: [moving],
  },
  {
    name: "refresh tokens get their own key before the last node of version 0.1 has stopped",
    file: "src/keys/snapshot.ts",
    find: "records.ownRefreshSince === null ? findFormerSigner(signing, former.keys) : null",
    replace: "null",
    tests: [hmacOnly],
  },
  {
    name: "a node doesn't follow the key ring",
    file: "src/keys/keys.ts",
    find: "state.keysVersion !== loaded.snapshot.version ||",
    replace: "",
    tests: [ring],
  },
  {
    name: "a node doesn't notice that the next key has begun to sign",
    file: "src/keys/keys.ts",
    find: "|| isDue(loaded)",
    replace: "",
    tests: [ring],
  },
  {
    name: "a new secret is made although the sessions are those of another one",
    file: "src/keys/keys.ts",
    find: "if (sessions.length > 0) throw sessionsOfOtherSecret();",
    replace: "",
    tests: [ring],
  },
  {
    name: "CSRF tokens of a replaced secret are refused",
    file: "src/http/cookies/csrf-token.ts",
    find: "return csrfKeys.some((csrfKey) => isCsrfToken(csrfKey, token, sessionId));",
    replace: 'return isCsrfToken(csrfKeys[0] ?? new Uint8Array(), token, sessionId) && token !== "";',
    tests: [moving],
  },
  {
    name: "a retired key may still be used",
    file: "src/flows/keys/rules.ts",
    find: "const end: KeyUpdate = { kid, sealed: null, kekId: null, retiredAt: now };",
    replace: "const end: KeyUpdate = { kid, retireAt: now + 60 };",
    tests: [ring, rules],
  },
  {
    name: "a rotation of the secret at once leaves the one in a setting",
    file: "src/flows/keys/rules.ts",
    find: "? [retiredFirst(now), added] : [added]",
    replace: "? [added] : [added]",
    tests: [ring, rules],
  },
];
