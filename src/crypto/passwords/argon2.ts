import { isAffordable, minMemoryPerThread, type PasswordCost } from "../../core/settings/password-cost.ts";
import { type Fault, malformed, parseBase64, parseCount, unaffordable } from "./hash-format.ts";
import type { PepperKey } from "./peppers.ts";

/** An argon2 hash in the PHC string format. */
export interface Argon2Hash extends PasswordCost {
  readonly variant: "argon2id" | "argon2i" | "argon2d";
  readonly version: 16 | 19;
  /** The name of the secret that was used for the hash, or `null` if none was used. */
  readonly keyId: Buffer | null;
  /** The length of the salt in bytes. */
  readonly saltLength: number;
  readonly outputLength: number;
  /** Returns whether `password` matches the hash. `secret` is the secret with the name `keyId`. */
  matches(password: string, secret?: Uint8Array): Promise<boolean>;
}

/** The minimum lengths, in bytes. */
const minSaltLength = 8;
const minOutputLength = 16;
const maxLength = 64;

/** The lengths of new hashes, in bytes. */
const ownSaltLength = 16;
const ownOutputLength = 32;

const pattern =
  /^\$(argon2id|argon2i|argon2d)(?:\$v=(16|19))?\$m=(\d+),t=(\d+),p=(\d+)(?:,keyid=([A-Za-z0-9+/]{2,11}))?\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** Parses an argon2 hash in the PHC string format. If the version is missing, it is version 16, as the format specifies. */
export function parseArgon2(encoded: string): Argon2Hash | Fault {
  const [, variant, version = "16", m = "", t = "", p = "", keyid, salt = "", output = ""] =
    pattern.exec(encoded) ?? [];
  const [memoryCost, timeCost, parallelism] = [parseCount(m), parseCount(t), parseCount(p)];
  if (variant === undefined || memoryCost === null || timeCost === null || parallelism === null) return malformed;
  const cost = { memoryCost, timeCost, parallelism };
  if (!isAffordable(cost)) return unaffordable;
  const keyId = keyid === undefined ? null : parseBase64(keyid);
  const saltLength = parseBase64(salt)?.length ?? 0;
  const outputLength = parseBase64(output)?.length ?? 0;
  const isWhole =
    memoryCost >= minMemoryPerThread * parallelism &&
    (keyid === undefined || keyId !== null) &&
    isWithin(saltLength, minSaltLength) &&
    isWithin(outputLength, minOutputLength);
  if (!isWhole) return malformed;
  // The secret's name is not an input of the function, and the library can't read a hash that has one.
  const plain = keyid === undefined ? encoded : encoded.replace(`,keyid=${keyid}`, "");
  return {
    ...cost,
    variant: variant as Argon2Hash["variant"],
    version: version === "19" ? 19 : 16,
    keyId,
    saltLength,
    outputLength,
    async matches(password, secret) {
      const { verify } = await loadArgon2();
      return verify(plain, password, secret === undefined ? {} : { secret });
    },
  };
}

function isWithin(length: number, min: number): boolean {
  return length >= min && length <= maxLength;
}

/** Returns whether a hash is cheaper to attack than a new one with `cost`. */
export function isWeaker(hash: Argon2Hash, cost: PasswordCost): boolean {
  return (
    hash.memoryCost < cost.memoryCost ||
    hash.timeCost < cost.timeCost ||
    hash.parallelism < cost.parallelism ||
    hash.saltLength < ownSaltLength ||
    hash.outputLength < ownOutputLength
  );
}

/**
 * Hashes `password` with argon2id and a new salt of 16 bytes. Returns the hash in the PHC string format. Its `keyid` is the
 * name of `pepper`.
 */
export async function hashArgon2id(password: string, cost: PasswordCost, pepper?: PepperKey): Promise<string> {
  const { hash } = await loadArgon2();
  const { memoryCost, timeCost, parallelism } = cost;
  if (pepper === undefined) return hash(password, { memoryCost, timeCost, parallelism });
  const encoded = await hash(password, { memoryCost, timeCost, parallelism, secret: pepper.key });
  const keyId = Buffer.from(pepper.id).toString("base64").replace(/=+$/, "");
  return encoded.replace(/,p=\d+/, (parallelismField) => `${parallelismField},keyid=${keyId}`);
}

/**
 * Loads the native addon once. It is not loaded when tokenpair is imported.
 *
 * @throws Error if there is no addon for this machine.
 */
export function loadArgon2(): Promise<typeof import("@node-rs/argon2")> {
  return import("@node-rs/argon2");
}
