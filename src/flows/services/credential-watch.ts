import { AuthError } from "../../core/errors.ts";
import type { FeedState } from "../../core/revocation.ts";
import type { Clock } from "../../core/runtime/clock.ts";
import type { ServiceScope, ServiceStore } from "../../core/store/services.ts";
import { hashServiceCredential } from "../../crypto/service-credential.ts";

/** Ends the long requests of services whose credentials are revoked. */
export interface CredentialWatch {
  /**
   * Returns a signal that aborts when a credential that was just accepted is revoked, or its service loses the scope. Its reason is
   * an `AuthError` `invalid_client`. It is watched for `longestRequest`.
   */
  watch(credential: string, scope: ServiceScope): AbortSignal;
  /** Tells what a read of the revocation feed has returned. Checks the watched credentials if a service may have changed. */
  observe(state: Pick<FeedState, "keysVersion" | "incarnation">): void;
}

/** A credential in use. */
interface Watched {
  readonly hash: Uint8Array;
  readonly scope: ServiceScope;
  readonly controller: AbortController;
  /** When it is forgotten, and when it is checked again in any case, on the monotonic clock. */
  until: number;
  checkAt: number;
}

/** Milliseconds for which a request may last: a stream of the feed ends before that. */
const longestRequest = 1_200_000;

/** Milliseconds between two checks: a credential that was replaced ends at a time, without a change. */
const checkInterval = 30_000;

/** Creates the watch. It has no timer: the feed is read several times a second. */
export function createCredentialWatch({
  services,
  clock,
}: {
  readonly services: Pick<ServiceStore, "find">;
  readonly clock: Pick<Clock, "monotonic">;
}): CredentialWatch {
  const watched = new Map<string, Watched>();
  let version: string | null = null;
  let isChecking = false;

  async function check(key: string, entry: Watched): Promise<void> {
    entry.checkAt = clock.monotonic() + checkInterval;
    try {
      const service = await services.find(entry.hash);
      if (service?.scopes.includes(entry.scope)) return;
      watched.delete(key);
      entry.controller.abort(new AuthError("invalid_client", "the credential was revoked during the request"));
    } catch {
      // The store doesn't answer. The next read of the feed tries again.
      entry.checkAt = Number.NEGATIVE_INFINITY;
    }
  }

  async function checkDue(): Promise<void> {
    const now = clock.monotonic();
    for (const [key, entry] of watched) {
      if (now >= entry.until) watched.delete(key);
      else if (now >= entry.checkAt) await check(key, entry);
    }
  }

  return {
    watch(credential, scope) {
      const hash = hashServiceCredential(credential) ?? new Uint8Array();
      const key = `${scope} ${Buffer.from(hash).toString("base64")}`;
      const entry = watched.get(key) ?? { hash, scope, controller: new AbortController(), until: 0, checkAt: 0 };
      entry.until = clock.monotonic() + longestRequest;
      // It may have been revoked since it was accepted.
      entry.checkAt = Number.NEGATIVE_INFINITY;
      watched.set(key, entry);
      return entry.controller.signal;
    },
    observe({ keysVersion, incarnation }) {
      const seen = `${incarnation} ${keysVersion}`;
      if (seen !== version) for (const entry of watched.values()) entry.checkAt = Number.NEGATIVE_INFINITY;
      version = seen;
      if (watched.size === 0 || isChecking) return;
      isChecking = true;
      void checkDue().finally(() => {
        isChecking = false;
      });
    },
  };
}
