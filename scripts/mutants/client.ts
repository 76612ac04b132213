import type { Mutant } from "./mutant.ts";

/** Mutants of what the client promises to routers, loaders and pages of other logins. */
export const clientMutants: readonly Mutant[] = [
  {
    name: "a late refresh replaces the access token of a confirmation",
    file: "src/client/session/refresher.ts",
    find: "interruption.abort();",
    replace: "",
    tests: ["test/client/confirm.test.ts"],
  },
  {
    name: "the client refreshes if the user must confirm the password",
    file: "src/client/transport/requests.ts",
    find: '(refusal === "confirmation_required" && !hasConfirmed)',
    replace: "false",
    tests: ["test/client/confirm.test.ts"],
  },
  {
    name: "another tab's late refresh undoes a confirmation",
    file: "src/client/transport/requests.ts",
    find: "      hasConfirmed = true;",
    replace: "",
    tests: ["test/client/confirm.test.ts"],
  },
  {
    name: "ensure() leaves a token that expires in a moment",
    file: "src/client/transport/requests.ts",
    find: "await refresher.check();",
    replace: "await refresher.ensure();",
    tests: ["test/client/loaders.test.ts"],
  },
  {
    name: "ready() waits for a refresh although the state is known",
    file: "src/client/transport/requests.ts",
    find: 'if (state.get().status === "loading") await refresher.ensure();',
    replace: "await refresher.ensure();",
    tests: ["test/client/loaders.test.ts"],
  },
  {
    name: "the client repeats a login by password",
    file: "src/client/assemble-client.ts",
    find: 'await ("ticket" in input ? repeatLost(input, login) : login());',
    replace: "await repeatLost(input, login);",
    tests: ["test/client/confirm.test.ts"],
  },
  {
    name: "the user's repetition of a second step has another idempotency key",
    file: "src/client/assemble-client.ts",
    find: "if (text !== lostInput) lostKey = createIdempotencyKey(env);",
    replace: "lostKey = createIdempotencyKey(env);",
    tests: ["test/client/confirm.test.ts", "test/client/password-change.test.ts"],
  },
  {
    name: "patchFetch resolves relative URLs against the server",
    file: "src/client/patch-fetch.ts",
    find: "client.fetch(isUrl ? url : input, init)",
    replace: "client.fetch(input, init)",
    tests: ["test/client/patch-fetch.test.ts"],
  },
  {
    name: "useSessions shows the list of the previous user",
    file: "src/client/react/use-sessions.ts",
    find: "loaded?.sessionId === sessionId ? loaded : undefined",
    replace: "loaded",
    tests: ["test/client/react-sessions.test.ts"],
  },
  {
    name: "useUser renders again although the server says the same",
    file: "src/client/react/use-session.ts",
    find: "useSelection(client, toUser, hasSameJson)",
    replace: "useSelection(client, toUser)",
    tests: ["test/client/react.test.ts"],
  },
];
