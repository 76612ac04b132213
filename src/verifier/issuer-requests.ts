import { frameType } from "../revocation/readers/frame.ts";
import { RequestFailure, readRetryAfter, toFailure } from "./request-failure.ts";

/** The requests of a verifier to its issuer. */
export interface IssuerRequests {
  /**
   * Reads the JWK Set.
   *
   * @throws RequestFailure
   */
  readKeys(signal: AbortSignal): Promise<Uint8Array>;
  /**
   * Opens the feed.
   *
   * @returns the body of a successful response.
   * @throws RequestFailure
   */
  openFeed(query: FeedQuery, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /**
   * Acknowledges everything up to a cursor.
   *
   * @throws RequestFailure
   */
  acknowledge(cursor: string, signal: AbortSignal): Promise<void>;
}

/** What a verifier asks the feed for. */
export interface FeedQuery {
  /** Whether frames come without end. */
  readonly stream: boolean;
  /** Where the last frame ended; `null` for a full frame. */
  readonly after: string | null;
  /** Without `stream`: seconds to wait for news. */
  readonly wait: number;
  /** Milliseconds for which this verifier, or a reader of its relay, accepts tokens after a frame. */
  readonly lease: number;
}

/** The options of `createIssuerRequests`. */
export interface IssuerRequestsOptions {
  /** The issuer's base URL, without a slash at the end. */
  readonly url: string;
  readonly authPath: string;
  readonly credential: string | null;
  /** Returns this verifier's name for itself. */
  readonly reader: () => string;
  readonly fetch: typeof fetch;
}

/** The longest JWK Set that is read, in bytes. */
const longestKeys = 2 ** 20;

/** Creates the requests to an issuer. */
export function createIssuerRequests(options: IssuerRequestsOptions): IssuerRequests {
  const { url, authPath, credential, reader, fetch: send } = options;
  const feedUrl = `${url}${authPath}/revocations/`;
  const authorization: Readonly<Record<string, string>> =
    credential === null ? {} : { Authorization: `Bearer ${credential}` };

  /** Sends a request, and returns its body if the status is right. */
  async function request(
    target: string,
    { method, headers }: { readonly method: "GET" | "POST"; readonly headers: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<Response> {
    // A redirect is not followed: it could lead to another host, which must not get the credential.
    const response = await send(target, { method, headers, signal, redirect: "manual" });
    if (response.status === (method === "GET" ? 200 : 204)) return response;
    void response.body?.cancel().catch(() => {});
    throw new RequestFailure(toStatusReason(response.status), readRetryAfter(response));
  }

  return {
    async readKeys(signal) {
      try {
        const headers = { Accept: "application/jwk-set+json", "Cache-Control": "no-cache" };
        const response = await request(`${url}/.well-known/jwks.json`, { method: "GET", headers }, signal);
        return await readBody(response, longestKeys);
      } catch (error) {
        throw toFailure(error);
      }
    },
    async openFeed({ stream, after, wait, lease }, signal) {
      const query = new URLSearchParams({ lease: String(lease), reader: reader() });
      if (stream) query.set("stream", "1");
      else if (wait > 0) query.set("wait", String(wait));
      if (after !== null) query.set("after", after);
      try {
        const headers = { ...authorization, Accept: frameType };
        const { body } = await request(`${feedUrl}?${query}`, { method: "GET", headers }, signal);
        if (body === null) throw new RequestFailure("the response has no body");
        return body;
      } catch (error) {
        throw toFailure(error);
      }
    },
    async acknowledge(cursor, signal) {
      const query = new URLSearchParams({ after: cursor, reader: reader() });
      try {
        await request(`${feedUrl}?${query}`, { method: "POST", headers: authorization }, signal);
      } catch (error) {
        throw toFailure(error);
      }
    },
  };
}

function toStatusReason(status: number): string {
  switch (status) {
    case 400:
      return "the issuer can't serve this query (400): maxStaleness may be longer than its maxFeedLease, or a relay's longestLease";
    case 401:
      return "the issuer refused the credential (401)";
    case 403:
      return "the credential lacks the scope feed (403)";
    case 404:
      return "there is no such endpoint at the issuer's URL (404)";
    case 503:
      return "the issuer is not ready (503)";
    default:
      return `the issuer answered ${status}`;
  }
}

async function readBody({ body }: Response, longest: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > longest) throw new RequestFailure("the response is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
