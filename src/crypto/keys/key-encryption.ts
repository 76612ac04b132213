import { createHash } from "node:crypto";
import { type Random, systemRandom } from "../../core/runtime/random.ts";
import { SettingError } from "../../core/settings/setting-error.ts";
import { decrypt, encrypt } from "../aead.ts";
import { parseBase64url } from "../base64url.ts";

/** An encrypted private key or secret, and the id of the key encryption key that can decrypt it. */
export interface Sealed {
  readonly sealed: Uint8Array;
  readonly kekId: string;
}

/**
 * The key encryption keys (KEKs), which encrypt the keys in the database. "Seal" means encrypt, and "open" means decrypt.
 * The object has no property that contains key material.
 */
export interface Keks {
  /** The id of the KEK that encrypts, which is the first one. */
  readonly id: string;
  /** The ids of all KEKs. All of them can decrypt. */
  readonly ids: readonly string[];
  /** Encrypts the private key or secret with the name `kid`. */
  seal(kid: string, bytes: Uint8Array): Sealed;
  /**
   * Decrypts a private key or secret that was encrypted with this `kid`.
   *
   * @throws SettingError for `keyEncryptionKey` if the KEK is missing, if it isn't the one that encrypted the bytes, or if
   * the bytes were changed.
   */
  open(kid: string, sealed: Uint8Array, kekId: string): Buffer;
}

const keyLength = 32;

/**
 * Parses the setting `keyEncryptionKey`. It is either one key, or a comma-separated list of `id:key`. The first key of a
 * list encrypts, and all keys can decrypt. A key is 32 bytes in base64url. A key without an id gets the first 8 hexadecimal
 * digits of its fingerprint as its id. Keys are encrypted with AES-256-GCM and bound to their `kid`.
 *
 * @throws SettingError for `keyEncryptionKey`. It never quotes a key.
 */
export function createKeks(setting: string, random: Random = systemRandom): Keks {
  const keks = setting.split(",").map((item) => parseKek(item.trim()));
  const byId = new Map(keks.map((kek) => [kek.id, kek.key]));
  if (byId.size !== keks.length) throw fault("must have different ids. Give the new key its own id.");
  const [{ id, key } = { id: "", key: Buffer.alloc(0) }] = keks;
  return Object.freeze({
    id,
    ids: Object.freeze([...byId.keys()]),
    seal(kid: string, bytes: Uint8Array): Sealed {
      return { sealed: encrypt(key, bytes, { context: toContext(kid), random }), kekId: id };
    },
    open(kid: string, sealed: Uint8Array, kekId: string): Buffer {
      const kek = byId.get(kekId);
      if (kek === undefined) {
        throw fault(`lacks the key "${kekId}", which encrypts the key "${kid}". Add it to the list, as "${kekId}:…".`);
      }
      try {
        return decrypt(kek, sealed, toContext(kid));
      } catch {
        throw fault(
          `can't decrypt the key "${kid}": the key "${kekId}" isn't the one that encrypted it, or the database was changed.`,
        );
      }
    },
  });
}

/** Returns the context that binds an encrypted key to its name, so that rows can't be swapped. */
function toContext(kid: string): Buffer {
  return Buffer.from(`tokenpair-key-v1\0${kid}`);
}

function parseKek(item: string): { readonly id: string; readonly key: Buffer } {
  const [, id, text = ""] = /^(?:([\w.-]{1,32}):)?([\w-]{43})$/.exec(item) ?? [];
  const key = parseBase64url(text);
  if (key?.length !== keyLength) {
    throw fault(
      'must be 32 random bytes in base64url, or a list of "id:key" with such keys; an id has letters, digits, "-", "_" and ".".',
    );
  }
  if (new Set(key).size < 8) throw fault("has a key that isn't random.");
  return { id: id ?? toKekId(key), key };
}

/** Returns the id of a key that has no id in the setting. */
function toKekId(key: Uint8Array): string {
  return createHash("sha256").update("tokenpair-kek-v1\0").update(key).digest("hex").slice(0, 8);
}

function fault(text: string): SettingError {
  return new SettingError("keyEncryptionKey", text);
}
