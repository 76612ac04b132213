import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { toNodeHandler } from "../../src/adapters/node/index.ts";
import { type Auth, type AuthOptions, createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import type { VerifierOptions } from "../../src/verifier/options.ts";
import type { Verifier } from "../../src/verifier/verifier.ts";
import { toCode } from "../crypto/forge.ts";
import { issuerSettings, openVerifier, whenVerifiersKnow } from "../support/verifier.ts";

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const credentials = { username: "alice", password: "correct horse battery staple" };
/** Cheap hashes; and a request that ends with the test is no error. */
const quick = { passwordMemoryCost: 64, passwordTimeCost: 1, onError: () => {} };

/** A real issuer behind HTTP, with a user. */
async function openIssuer(options: Partial<AuthOptions> = {}) {
  const store = sqliteStore(":memory:");
  await store.migrate();
  const auth = createAuth({ store, ...issuerSettings, ...quick, ...options } as AuthOptions);
  await auth.ready();
  const { id } = await auth.users.create(credentials);
  const { server, url } = await listen(auth);
  closers.push(
    () => store.close(),
    () => auth.close(),
    () => stop(server),
  );
  const open = async (more: Partial<VerifierOptions> = {}) => {
    const verifier = await openVerifier({ auth, store }, { url, fetch, ...more });
    closers.push(() => verifier.close());
    return verifier;
  };
  return { auth, store, url, open, userId: id };
}

async function listen(auth: Pick<Auth, "fetch">): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer(toNodeHandler(auth));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

const toRequest = (token: string) => ({ headers: { authorization: `Bearer ${token}` }, method: "GET" });

/** The code with which a verifier refuses a token; `undefined` if it accepts it. */
async function codeOf(verifier: Verifier, token: string): Promise<string | undefined> {
  return verifier.authenticateAsync(toRequest(token)).then(
    () => undefined,
    (error) => error.code,
  );
}

describe.each(["stream", "poll", "pull"] as const)(
  "a verifier of a real issuer, with revocations: %s",
  (revocations) => {
    it("accepts its tokens, with the application's claims, and refuses those of other issuers", async () => {
      const { auth, open, userId } = await openIssuer({ claims: () => ({ roles: ["editor"] }) });
      const verifier = await open({ revocations });
      const { access, session } = await auth.login(credentials);
      const claims = await verifier.authenticateAsync(toRequest(access));
      expect(claims).toMatchObject({ userId, sessionId: session.id, payload: { roles: ["editor"] } });
      expect(await codeOf(await open({ revocations, audience: "other" }), access)).toBe("token_invalid");
    });

    it("refuses what was revoked before it began to read, and after", async () => {
      const { auth, open } = await openIssuer();
      const [before, after] = [await auth.login(credentials), await auth.login(credentials)];
      await auth.logout(before.refresh);
      const verifier = await open({ revocations, pullInterval: 0 });
      expect(await codeOf(verifier, before.access)).toBe("token_revoked");
      expect(await codeOf(verifier, after.access)).toBeUndefined();
      await auth.logout(after.refresh);
      await expect.poll(() => codeOf(verifier, after.access)).toBe("token_revoked");
    });
  },
);

describe("a confirmed revocation", () => {
  it.each<[string, (auth: Auth, session: { readonly userId: string; readonly sessionId: string }) => Promise<unknown>]>(
    [
      ["of a session", (auth, { sessionId }) => auth.sessions.revoke(sessionId, { confirmed: true })],
      ["of a user's sessions", (auth, { userId }) => auth.sessions.revokeAllForUser(userId)],
      ["of a user who is disabled", (auth, { userId }) => auth.users.disable(userId)],
      ["of everything", (auth) => auth.sessions.revokeAll()],
    ],
  )("%s is in force at every verifier when it is answered, also below relays", async (_, revoke) => {
    const { auth, open, userId } = await openIssuer();
    const own = `tps_${"r".repeat(43)}`;
    const relay = { credentials: [own], longestLease: 12 };
    const upper = await open({ relay });
    const { server, url } = await listen({ fetch: (request) => upper.feed(request) });
    closers.push(() => stop(server));
    const below = await open({ url, credential: own });
    const verifiers = [await open(), await open({ revocations: "poll" }), upper, below];
    const { access, session } = await auth.login(credentials);
    for (const verifier of verifiers) expect(await codeOf(verifier, access)).toBeUndefined();
    expect(await revoke(auth, { userId, sessionId: session.id })).toMatchObject({ confirmed: "acks" });
    for (const verifier of verifiers) expect(toCode(() => verifier.verify(access))).toBe("token_revoked");
  });

  it("of a user's other sessions leaves the caller's alone", async () => {
    const { auth, open, userId } = await openIssuer();
    const verifier = await open();
    const [own, other] = [await auth.login(credentials), await auth.login(credentials)];
    const { confirmed } = await auth.logout(
      { userId, sessionId: own.session.id },
      { scope: "others", confirmed: true },
    );
    expect(confirmed).toBe("acks");
    expect(await codeOf(verifier, other.access)).toBe("token_revoked");
    expect(await codeOf(verifier, own.access)).toBeUndefined();
    expect(await codeOf(verifier, (await auth.refresh(own.refresh)).access)).toBeUndefined();
  });
});

describe("a verifier of a real issuer", () => {
  it("continues when the issuer is back, and knows what was revoked meanwhile", async () => {
    const { auth, store, open } = await openIssuer();
    let target: string | null = null;
    const first = await listen(auth);
    target = first.url;
    const verifier = await open({
      url: "http://issuer.internal",
      // It must accept the token while the issuer is away, even on a busy machine.
      maxStaleness: 60,
      async fetch(input, init) {
        if (target === null) throw new TypeError("fetch failed");
        return fetch(String(input).replace("http://issuer.internal", target), init);
      },
    });
    const { access, refresh } = await auth.login(credentials);
    await stop(first.server);
    target = null;
    await expect.poll(() => verifier.status().connected).toBe(false);
    expect(await codeOf(verifier, access)).toBeUndefined();
    await auth.logout(refresh);
    const node = createAuth({ store, ...issuerSettings, ...quick });
    await node.ready();
    const second = await listen(node);
    closers.push(
      () => node.close(),
      () => stop(second.server),
    );
    target = second.url;
    await expect.poll(() => codeOf(verifier, access)).toBe("token_revoked");
    expect(verifier.status()).toMatchObject({ connected: true, ready: true });
  });

  it("ends what is open under a token", async () => {
    const { auth, open } = await openIssuer();
    const verifier = await open();
    const { access, refresh } = await auth.login(credentials);
    const signal = verifier.signal(verifier.verify(access));
    await auth.logout(refresh);
    await expect.poll(() => signal.reason?.code).toBe("token_revoked");
  });

  it("accepts a browser's cookies and its CSRF token", async () => {
    const { auth, open, userId } = await openIssuer();
    const verifier = await open();
    const headers = { "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin" };
    const first = await auth.fetch(new Request("https://app.example/api/auth/csrf/"));
    const toCookie = (response: Response) =>
      response.headers
        .getSetCookie()
        .map((line) => line.split(";")[0])
        .join("; ");
    const { csrf_token: token } = await first.json();
    const login = await auth.fetch(
      new Request("https://app.example/api/auth/login/", {
        method: "POST",
        headers: { ...headers, Cookie: toCookie(first), "X-CSRFToken": token },
        body: JSON.stringify(credentials),
      }),
    );
    expect(login.status).toBe(200);
    const cookie = toCookie(login);
    const csrf = /__Host-csrftoken=([^;]+)/.exec(cookie)?.[1] ?? "";
    const post = (value: string) => ({ method: "POST", headers: { ...headers, cookie, "X-CSRFToken": value } });
    expect(verifier.authenticate({ method: "GET", headers: { cookie } })).toMatchObject({ userId });
    expect(verifier.authenticate(post(csrf))).toMatchObject({ userId });
    expect(toCode(() => verifier.authenticate(post(token)))).toBe("csrf_failed");
  });

  it("lets a caller of the issuer wait for it", async () => {
    const { auth, open } = await openIssuer();
    const verifier = await open();
    const { access, refresh } = await auth.login(credentials);
    await auth.logout(refresh);
    await whenVerifiersKnow(auth);
    expect(toCode(() => verifier.verify(access))).toBe("token_revoked");
  });
});
