import type { KeyEvent } from "../key-events.ts";
import type { EventEntry } from "./entry.ts";

/** The catalogue's entries for events about the key ring and about services. */
export const keyEntries: {
  readonly [T in KeyEvent["type"]]: EventEntry<Extract<KeyEvent, { readonly type: T }>>;
} = {
  key_added: {
    description: "A key that signs access tokens was added to the key ring.",
    fields: { kid: "", algorithm: "", signsFrom: "when it begins to sign", client: "" },
    audit: "transaction",
    level: "info",
    count: () => ["keys", "key_added"],
    webhook: null,
  },
  key_retired: {
    description: "A key will be retired, or was retired at once.",
    fields: {
      kid: "",
      retireAt: "until when its tokens are accepted; the event's time if it was retired at once",
      client: "",
    },
    audit: "transaction",
    level: "info",
    count: null,
    webhook: null,
  },
  secret_rotated: {
    description:
      "The installation got a new secret, from which the keys of refresh, CSRF and device tokens are derived.",
    fields: {
      kid: "of the new refresh key, such as `r2`",
      isImmediate: "whether what the older secrets have signed is refused from now on",
      client: "",
    },
    audit: "transaction",
    level: "warn",
    count: null,
    webhook: null,
  },
  refresh_key_adopted: {
    description: "Refresh tokens are signed by their own key from now on. Nodes of version 0.1 refuse them.",
    fields: { client: "" },
    audit: "transaction",
    level: "info",
    count: null,
    webhook: null,
  },
  keys_rewrapped: {
    description: "The key ring was encrypted again, with another key encryption key.",
    fields: { kekId: "that key's id", keys: "how many keys and secrets", client: "" },
    audit: "transaction",
    level: "info",
    count: null,
    webhook: null,
  },
  keys_unreadable: {
    description:
      "This node can't decrypt a key in the key ring, for example because it doesn't have the key encryption key. It continues with " +
      "the keys that it had, except for those that were retired.",
    fields: { kid: "", kekId: "of the key encryption key", reason: "" },
    audit: "never",
    level: "error",
    count: () => ["keys", "keys_unreadable"],
    webhook: null,
  },
  service_added: {
    description: "A service was added.",
    fields: { service: "its name", scopes: "", client: "" },
    audit: "transaction",
    level: "info",
    count: null,
    webhook: null,
  },
  service_rotated: {
    description: "A service got a new credential.",
    fields: {
      service: "its name",
      previousUntil: "until when the replaced credential is valid; `null`: not any more",
      client: "",
    },
    audit: "transaction",
    level: "info",
    count: null,
    webhook: null,
  },
  service_revoked: {
    description: "A service and its credentials were revoked.",
    fields: { service: "its name", client: "" },
    audit: "transaction",
    level: "info",
    count: null,
    webhook: null,
  },
  service_refused: {
    description: "A request to an endpoint for services was refused.",
    fields: {
      refusal: "`invalid_client`, `insufficient_scope`, or `throttled`: too many failures came from the address",
      service: "its name, if the credential is valid",
      client: "",
    },
    // Anyone can cause refusals, which would fill the audit log.
    audit: "never",
    level: "warn",
    count: ({ refusal }) => ["services", refusal],
    webhook: null,
  },
};
