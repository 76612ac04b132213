import { describe, expect, it } from "vitest";
import type { CommitPosition } from "../../../src/core/revocation.ts";
import type { RedeemedSession, RedeemedToken, RedeemOutcome } from "../../../src/core/store/legacy.ts";
import { addSession, addUser, importedUser, isLive, newSession, readAfter, rotationOf, toHash } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of how every store spends refresh tokens of another system. */
export function describeLegacyContract(scene: Scene): void {
  const salt = new Uint8Array(16).fill(7);

  async function importUser(username: string, id: string): Promise<string> {
    await scene.store.users.importBatch([importedUser(username, { id })]);
    return id;
  }

  /** Redeems the token `jti` of the user with the id 1, who must have been imported. */
  function redeem(
    sessionId: string,
    session: Partial<RedeemedSession> & { readonly userId?: string } = {},
    token: Partial<RedeemedToken> = {},
  ): Promise<RedeemOutcome> {
    const { updateLastLogin: _, ...row } = newSession(sessionId, "1");
    const redeemed = { ...row, previousHash: toHash(99), salt, idempotencyHash: null, ...session };
    const times = { issuedAt: scene.now - 500, expiresAt: scene.now + 500 };
    return scene.store.legacy.redeem(redeemed, { tokenId: "jti", ...times, needsImport: true, ...token });
  }

  const revoke = (...ids: readonly string[]) =>
    scene.store.legacy.revoke(
      ids.map((tokenId) => ({ tokenId, expiresAt: scene.now + 500 })),
      "revoked",
    );

  const none = { sessions: 0, revocations: [] };

  describe("legacy.redeem", () => {
    it("inserts a session whose first generation has a predecessor, and spends the token", async () => {
      await importUser("alice", "1");
      const created = await redeem("s", { idempotencyHash: toHash(50) });
      expect(created).toMatchObject({
        outcome: "created",
        now: scene.now,
        globalEpoch: 0,
        revocations: [],
        limited: [],
      });
      const found = await scene.store.sessions.find("s");
      expect(created).toMatchObject({ session: found?.session });
      expect(found?.session).toMatchObject({
        userId: "1",
        generation: 0,
        currentHash: toHash(0),
        previousHash: toHash(99),
        salt,
        idempotencyHash: toHash(50),
        rotatedAt: scene.now,
        createdAt: scene.now,
        idleExpiresAt: scene.now + 100,
        absoluteExpiresAt: scene.now + 1_000,
        accessUntil: scene.now + 60,
      });
      expect(await scene.store.legacy.find("jti")).toEqual({ sessionId: "s" });
      expect(await scene.store.sessions.rotate(rotationOf("s", 0))).toMatchObject({ session: { generation: 1 } });
    });

    it("is won by one of many calls with one token, and the others learn its session", async () => {
      await importUser("alice", "1");
      const outcomes = await Promise.all(Array.from({ length: 64 }, (_, n) => redeem(`s${n}`)));
      const winners = outcomes.flatMap((each) => (each.outcome === "created" ? [each.session.id] : []));
      expect(winners).toHaveLength(1);
      expect(outcomes.filter(({ outcome }) => outcome === "spent")).toEqual(
        Array.from({ length: 63 }, () => ({ outcome: "spent", sessionId: winners[0] })),
      );
      expect((await scene.store.sessions.list({ limit: 100 })).sessions.map(({ id }) => id)).toEqual(winners);
    });

    it("returns what the token was spent for, even if the user is gone or inactive by now", async () => {
      await importUser("alice", "1");
      await redeem("s");
      await scene.store.users.disable("1");
      expect(await redeem("t")).toEqual({ outcome: "spent", sessionId: "s" });
      await scene.store.users.delete("1");
      expect(await redeem("t")).toEqual({ outcome: "spent", sessionId: "s" });
    });

    it("is refused, and spends nothing, if the user is gone, inactive, not imported or has another epoch", async () => {
      const refused = (reason: string) => ({ outcome: "refused", reason });
      expect(await redeem("s")).toEqual(refused("user_gone"));
      await addUser(scene.store, "alice");
      expect(await redeem("s")).toEqual(refused("not_imported"));
      await scene.store.users.importBatch([importedUser("alice")]);
      expect(await redeem("s")).toEqual(refused("not_imported"));
      await scene.store.users.importBatch([importedUser("alice", { id: "1" })]);
      await scene.store.users.disable("1");
      expect(await redeem("s")).toEqual(refused("user_inactive"));
      await scene.store.users.enable("1");
      expect(await redeem("s")).toEqual(refused("user_epoch_changed"));
      expect(await redeem("s", { userEpoch: 1 })).toMatchObject({ outcome: "created" });
    });

    it("knows by the import which users have the ids of the other system", async () => {
      await scene.store.users.importBatch([importedUser("alice"), importedUser("bob", { id: "7" })]);
      expect(await redeem("s", { userId: "8" })).toEqual({ outcome: "refused", reason: "not_imported" });
      expect(await redeem("s", { userId: "7" })).toMatchObject({ outcome: "created" });
    });

    it("doesn't ask for an import if the application keeps the users", async () => {
      await scene.store.users.ensure("app-1");
      const outcome = await redeem("s", { userId: "app-1" }, { needsImport: false });
      expect(outcome).toMatchObject({ outcome: "created", session: { userId: "app-1" } });
    });

    it("refuses tokens that were issued before everything was revoked, by a clock up to a minute ahead", async () => {
      await importUser("alice", "1");
      await scene.store.sessions.revokeAll("revoked");
      for (const issuedAt of [scene.now - 500, scene.now, scene.now + 60]) {
        expect(await redeem("s", {}, { issuedAt })).toEqual({ outcome: "refused", reason: "all_revoked" });
      }
      expect(await redeem("s", {}, { issuedAt: scene.now + 61 })).toMatchObject({ outcome: "created" });
    });

    it("revokes the least recently used session of a user who has too many", async () => {
      await importUser("alice", "1");
      await addSession(scene.store, "old", "1");
      const created = await redeem("s", { maxSessions: 1 });
      expect(created).toMatchObject({ limited: ["old"], revocations: [{ sessionId: "old", reason: "limit" }] });
      expect(await isLive(scene.store, "old")).toBe(false);
    });

    it("leaves no live session and no redeemed token if it races a disable", async () => {
      const { store } = scene;
      await importUser("alice", "1");
      const attempts = Array.from({ length: 20 }, (_, n) => redeem(`s${n}`, {}, { tokenId: `jti${n}` }));
      await Promise.all([...attempts.slice(0, 10), store.users.disable("1"), ...attempts.slice(10)]);
      expect((await store.sessions.list({ limit: 100 })).sessions).toEqual([]);
    });

    it("leaves no live session if it races the revocation of everything", async () => {
      const { store } = scene;
      await importUser("alice", "1");
      const attempts = Array.from({ length: 20 }, (_, n) => redeem(`s${n}`, {}, { tokenId: `jti${n}` }));
      await Promise.all([...attempts.slice(0, 10), store.sessions.revokeAll("revoked"), ...attempts.slice(10)]);
      expect((await store.sessions.list({ limit: 100 })).sessions).toEqual([]);
    });

    it("changes nothing if its audit record fails", async () => {
      await importUser("alice", "1");
      const { updateLastLogin: _, ...session } = newSession("s", "1");
      const token = { tokenId: "jti", issuedAt: scene.now, expiresAt: scene.now + 500, needsImport: true };
      const attempt = scene.store.legacy.redeem(
        { ...session, previousHash: toHash(99), salt, idempotencyHash: null },
        token,
        () => {
          throw new TypeError("no such record");
        },
      );
      await expect(attempt).rejects.toThrow("no such record");
      expect(await scene.store.legacy.find("jti")).toBeNull();
      expect(await scene.store.sessions.find("s")).toBeNull();
    });
  });

  describe("legacy.revoke", () => {
    it("spends tokens once, so that they can't be redeemed", async () => {
      await importUser("alice", "1");
      expect(await revoke("b", "a")).toEqual({
        ...none,
        tokenIds: expect.toSatisfy((ids: string[]) => ids.toSorted().join() === "a,b"),
        sessionIds: [],
        now: scene.now,
      });
      expect(await revoke("a", "c")).toMatchObject({ tokenIds: ["c"] });
      expect(await revoke("a")).toEqual({ ...none, tokenIds: [], sessionIds: [], now: scene.now });
      expect(await redeem("s", {}, { tokenId: "a" })).toEqual({ outcome: "spent", sessionId: null });
      expect(await scene.store.legacy.count()).toEqual({ redeemed: 0, revoked: 3 });
    });

    it("revokes the session for which a token was redeemed already, with one feed entry", async () => {
      await importUser("alice", "1");
      await redeem("s");
      await redeem("t", {}, { tokenId: "other" });
      const revoked = await revoke("jti", "new");
      expect(revoked).toMatchObject({ tokenIds: ["new"], sessionIds: ["s"], sessions: 1 });
      expect(revoked).toMatchObject({ revocations: [{ kind: "session", sessionId: "s", reason: "revoked" }] });
      expect(await scene.store.nodes.hasCommit(revoked.position as CommitPosition)).toBe(true);
      expect((await scene.store.feed.read(readAfter(null))).revocations).toEqual(revoked.revocations);
      expect(await isLive(scene.store, "s")).toBe(false);
      expect(await isLive(scene.store, "t")).toBe(true);
      expect(await revoke("jti")).toMatchObject({ ...none, tokenIds: [], sessionIds: [] });
      expect(await scene.store.legacy.find("jti")).toEqual({ sessionId: "s" });
      expect(await scene.store.legacy.count()).toEqual({ redeemed: 2, revoked: 1 });
    });

    it("wins against a redemption of the same token or revokes its session", async () => {
      await importUser("alice", "1");
      const ids = Array.from({ length: 10 }, (_, n) => `jti${n}`);
      const redeems = ids.map((tokenId, n) => redeem(`s${n}`, {}, { tokenId }));
      await Promise.all([...redeems.slice(0, 5), revoke(...ids), revoke(...ids.toReversed()), ...redeems.slice(5)]);
      expect((await scene.store.sessions.list({ limit: 100 })).sessions).toEqual([]);
    });

    it("records a change in its transaction, and nothing if there was none", async () => {
      const { store, now } = scene;
      const seen: unknown[] = [];
      const audit = (change: unknown) => {
        seen.push(change);
        return [];
      };
      const changed = await store.legacy.revoke([{ tokenId: "a", expiresAt: now + 1 }], "logout", { audit });
      await store.legacy.revoke([{ tokenId: "a", expiresAt: now + 1 }], "logout", { audit });
      await store.legacy.revoke([], "logout", { audit });
      expect(seen).toEqual([changed]);
    });
  });

  describe("deleteExpired", () => {
    it("deletes spent tokens that have expired longer ago than the horizon", async () => {
      await importUser("alice", "1");
      await redeem("s", { idleLifetime: 5_000, absoluteLifetime: 5_000 });
      await revoke("a", "b");
      scene.now += 560;
      expect(await scene.store.deleteExpired({ limit: 2, horizon: 60 })).toMatchObject({ legacyTokens: 0 });
      scene.now += 1;
      expect(await scene.store.deleteExpired({ limit: 2, horizon: 60 })).toMatchObject({ legacyTokens: 2 });
      expect(await scene.store.deleteExpired({ limit: 2, horizon: 60 })).toMatchObject({ legacyTokens: 1 });
      expect(await scene.store.legacy.count()).toEqual({ redeemed: 0, revoked: 0 });
      expect(await isLive(scene.store, "s")).toBe(true);
    });
  });
}
