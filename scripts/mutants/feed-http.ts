import type { Mutant } from "./mutant.ts";

const checkTests = ["test/http/routes/check.test.ts"];
const feedTests = ["test/http/routes/revocations.test.ts"];

/** Mutants of the check endpoint and of the revocation feed over HTTP. */
export const feedHttpMutants: readonly Mutant[] = [
  {
    name: "a request of an unknown method counts as safe for a proxy",
    file: "src/http/forward-auth.ts",
    find: "known.length > 0 && known.every(isSafeMethod)",
    replace: "known.every(isSafeMethod)",
    tests: checkTests,
  },
  {
    name: "one of two forged method headers is enough",
    file: "src/http/forward-auth.ts",
    find: "known.every(isSafeMethod)",
    replace: "known.some(isSafeMethod)",
    tests: checkTests,
  },
  {
    name: "a client adds optional=1 below the path of the check endpoint",
    file: "src/http/forward-auth.ts",
    find: "isBelow || toSaidMethods(request).length === 0 ?",
    replace: "toSaidMethods(request).length === 0 ?",
    tests: checkTests,
  },
  {
    name: "a client adds optional=1 to a query that the proxy keeps",
    file: "src/http/forward-auth.ts",
    find: " && !ofClient.some((original) => original.has(name))",
    replace: " && ofClient.length > 0",
    tests: checkTests,
  },
  {
    name: "optional=1 lets a wrong token through",
    file: "src/http/forward-auth.ts",
    find: ' && error.code === "not_authenticated"',
    replace: "",
    tests: checkTests,
  },
  {
    name: "any client says the host of its own request",
    file: "src/http/forward-auth.ts",
    find: "if (!isFromTrustedProxy) return { url, headers: all };",
    replace: "",
    tests: checkTests,
  },
  {
    name: "two user ids look alike to the application behind a proxy",
    file: "src/http/forward-auth.ts",
    find: "\\x21-\\x24\\x26-\\x7e",
    replace: "\\x21-\\x7e",
    tests: checkTests,
  },
  {
    name: "a refused request keeps the identity that its client has forged",
    file: "src/http/routes/check.ts",
    find: "refusalHeaders: noIdentity,",
    replace: "",
    tests: checkTests,
  },
  {
    name: "a WebSocket whose Upgrade header a proxy has removed is accepted from any page",
    file: "src/http/credentials.ts",
    find: ' || readHeader(headers, "sec-websocket-version") !== undefined',
    replace: "",
    tests: checkTests,
  },
  {
    name: "a stream of the feed survives the revocation of its credential",
    file: "src/flows/services/credential-watch.ts",
    find: "if (seen !== version) for",
    replace: "if (watched.size === 0) for",
    tests: feedTests,
  },
  {
    name: "a reader with a longer lease than any node gets frames",
    file: "src/http/feed-requests.ts",
    find: " && Number(text) <= longestLease",
    replace: "",
    tests: feedTests,
  },
  {
    name: "a HEAD request leaves a stream open",
    file: "src/http/router.ts",
    find: "response.body?.cancel().catch(() => {});",
    replace: "",
    tests: feedTests,
  },
  {
    name: "a poll stays after its client has gone",
    file: "src/http/feed-requests.ts",
    find: "withSignals([gone, signal]",
    replace: "withSignals([signal]",
    tests: feedTests,
  },
];
