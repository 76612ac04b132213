import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";

/** The result of a request of the attacker. */
export interface AttackerResult {
  readonly status: number;
  readonly milliseconds: number;
}

/**
 * The attacker of the demonstration. It holds the tokens in this process, and never gives them away. It sends real requests over
 * HTTP, as from another machine.
 */
export interface Attacker {
  /** Keeps a copy of a refresh token. */
  copy(refreshToken: string): void;
  /** Refreshes with the token that it holds, and keeps what it gets. */
  refresh(): Promise<AttackerResult>;
  /** Reads the user's account with the access token that it got, at this server. `null` without one. */
  readAccount(): Promise<AttackerResult | null>;
  /** Returns the request with which it does the same at another node. `null` without an access token. */
  toAccountRequest(): Request | null;
  /** Forgets the tokens. */
  forget(): void;
}

/** The header that says who sends a request, for the timeline. */
export const laneHeader = "X-Demo-Lane";

/** How long a request may take, in milliseconds. */
const timeout = 10_000;

/** Creates an attacker without tokens. */
export function createAttacker(
  { tokenPath, authPath }: Pick<Settings<AuthUser>, "tokenPath" | "authPath">,
  findUrl: () => string,
): Attacker {
  let refreshToken: string | undefined;
  let accessToken: string | undefined;
  const common = { "User-Agent": "attacker", [laneHeader]: "attacker" };

  async function send(path: string, init: RequestInit): Promise<readonly [Response, AttackerResult]> {
    const startedAt = performance.now();
    const response = await fetch(new URL(path, findUrl()), { ...init, signal: AbortSignal.timeout(timeout) });
    return [response, { status: response.status, milliseconds: performance.now() - startedAt }];
  }

  const toHeaders = () => ({ ...common, Authorization: `Bearer ${accessToken}` });

  return {
    copy(token) {
      refreshToken = token;
      accessToken = undefined;
    },
    async refresh() {
      const headers = { ...common, "Content-Type": "application/json" };
      const body = JSON.stringify({ refresh: refreshToken });
      const [response, result] = await send(`${tokenPath}/refresh/`, { method: "POST", headers, body });
      const pair = (await response.json()) as { readonly access?: string; readonly refresh?: string };
      if (response.ok) {
        accessToken = pair.access;
        refreshToken = pair.refresh ?? refreshToken;
      }
      return result;
    },
    async readAccount() {
      if (accessToken === undefined) return null;
      const [response, result] = await send(`${authPath}/me/`, { headers: toHeaders() });
      await response.body?.cancel();
      return result;
    },
    toAccountRequest: () =>
      accessToken === undefined ? null : new Request(new URL(`${authPath}/me/`, findUrl()), { headers: toHeaders() }),
    forget() {
      refreshToken = undefined;
      accessToken = undefined;
    },
  };
}
