import { assembleClient } from "../assemble-client.ts";
import type { BaseClientOptions, Client } from "../client.ts";
import type { Environment, KeyValueStorage } from "../environment.ts";
import { createRecords } from "../session/records.ts";
import { toEndpoints } from "../transport/transport.ts";
import { createBearerTransport } from "./bearer-transport.ts";

/** The options of `createBearerClient`. */
export interface BearerClientOptions extends BaseClientOptions {
  /**
   * Where the client keeps its tokens. Use the most protected storage of the device, for example its keychain: anyone
   * who reads the tokens can act as the user.
   */
  readonly storage: KeyValueStorage;
  /** The server's `tokenPath` setting. Default: `"/api/token"`. */
  readonly tokenPath?: string;
  /**
   * Which answer to a refresh logs the user out: one with the header `Session-Ended: true`, which tokenpair sends since
   * version 0.2, or every `"401"` of a server that never sends the header. Default: `"header"`.
   */
  readonly sessionEndsOn?: "header" | "401";
}

/** Creates the client that `createBearerClient` returns, in an environment. */
export function assembleBearerClient(env: Environment, options: BearerClientOptions): Client {
  const { storage, timeout = 10, tokenPath = "/api/token", sessionEndsOn } = options;
  if (!storage) {
    throw new TypeError("storage is required. Pass an object with getItem, setItem and removeItem.");
  }
  if (options.baseUrl === undefined && !env.page) {
    throw new TypeError("baseUrl is required if there is no page, for example https://api.example.com.");
  }
  const endpoints = toEndpoints(options, env.page);
  const name = `tokenpair bearer ${endpoints.auth}`;
  const records = createRecords(env, storage, name);
  return assembleClient({
    ...{ env, endpoints, name, records, timeout },
    createTransport: (env, getShownId) =>
      createBearerTransport({
        ...{ env, records, endpoints, tokenPath, timeout, getShownId },
        endsOn401: sessionEndsOn === "401",
      }),
  });
}
