import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import type { RevokedSessions } from "../../src/core/store/sessions.ts";
import { type CommitDeps, commit, sessionsRevoked } from "../../src/flows/commit.ts";
import { login } from "../../src/flows/login.ts";
import { disableUser } from "../../src/flows/users/users.ts";
import { alice, createTestAuth, type TestAuth, withSessions } from "../support/auth.ts";
import { eventsOf, expectRefused, logIn } from "./flow.ts";

const revoked: RevokedSessions = { sessions: 1, revocations: [{ kind: "session", sessionId: "s-1", at: 1_000 }] };
const toEvents = sessionsRevoked({ userId: "1", sessionId: "s-1", reason: "revoked", client: {} });
const event = { type: "sessions_revoked", time: 1_000, userId: "1", sessionId: "s-1", reason: "revoked", client: {} };

/** The steps of `commit`, in order. */
let steps: string[];
let deps: CommitDeps;

beforeEach(() => {
  steps = [];
  deps = {
    record: (events) => {
      steps.push(`record ${events.length}`);
      return [];
    },
    feed: { apply: (revocations) => void steps.push(`apply ${revocations.length}`) },
    emit: (emitted) => {
      expect(emitted).toEqual({ ...event, sessions: 1 });
      steps.push("emit");
    },
    confirm: async (position) => {
      steps.push(`confirm ${position}`);
      return "acks";
    },
  };
});

describe("commit", () => {
  it("records the events in the transaction, then applies the revocations, then emits the events", async () => {
    const result = await commit(deps, toEvents, async (audit) => {
      audit(revoked);
      steps.push("write");
      return revoked;
    });
    expect(result).toBe(revoked);
    expect(steps).toEqual(["record 1", "write", "apply 1", "emit"]);
  });

  it("publishes the committed change once if the store repeats the transaction", async () => {
    await commit(deps, toEvents, async (audit) => {
      audit({ sessions: 5, revocations: [...revoked.revocations, ...revoked.revocations] });
      audit(revoked);
      return revoked;
    });
    expect(steps).toEqual(["record 1", "record 1", "apply 1", "emit"]);
  });

  it("publishes nothing if a repeated transaction changed nothing in the end", async () => {
    const result = await commit(deps, toEvents, async (audit): Promise<RevokedSessions | null> => {
      audit(revoked);
      return null;
    });
    expect(result).toBeNull();
    expect(steps).toEqual(["record 1"]);
  });

  it("publishes nothing if the store fails after it has recorded the events", async () => {
    const failed = commit(deps, toEvents, async (audit): Promise<RevokedSessions> => {
      audit(revoked);
      throw new StoreUnavailableError("the connection broke");
    });
    await expect(failed).rejects.toBeInstanceOf(StoreUnavailableError);
    expect(steps).toEqual(["record 1"]);
  });
});

describe("a flow whose transaction is rolled back and repeated", () => {
  let auth: TestAuth;
  afterEach(() => auth.close());

  it("emits no login if the repeated transaction refuses the session", async () => {
    auth = await createTestAuth({
      wrapStore: (store) =>
        withSessions(store, ({ create }) => ({
          create: async (session, audit) => {
            const attempted = await create(session);
            if (attempted.outcome === "created") audit?.(attempted);
            return { outcome: "refused", reason: "user_inactive" };
          },
        })),
    });
    await expectRefused(login(auth.deps, alice), "no_active_account", { reason: "user_inactive" });
    expect(eventsOf(auth, "login")).toEqual([]);
    expect(eventsOf(auth, "new_device")).toEqual([]);
  });

  it("emits nothing and revokes nothing on this node if the repeated transaction finds no user", async () => {
    auth = await createTestAuth({
      wrapStore: (store) => {
        const disable: typeof store.users.disable = async (userId, options) => {
          options?.audit?.({ sessions: 1, revocations: [{ kind: "user", userId, epoch: 1, at: 1_000 }] });
          return null;
        };
        return { ...store, users: { ...store.users, disable } };
      },
    });
    const { pair } = await logIn(auth);
    auth.events.length = 0;
    await expectRefused(disableUser(auth.deps, auth.user.id), "user_not_found");
    expect(auth.events).toEqual([]);
    expect(auth.deps.revocations.isRevoked(auth.deps.tokens.verifyAccess(pair.access))).toBe(false);
  });
});
