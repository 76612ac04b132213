import { isAffordable, minMemoryPerThread, type PasswordCost } from "../../core/settings/password-cost.ts";
import { type Fault, malformed, parseBase64, parseCount, unaffordable } from "./hash-format.ts";
import type { PepperKey } from "./peppers.ts";

/** An argon2 hash in the PHC string format. */
export interface Argon2Hash extends PasswordCost {
  readonly variant: "argon2id" | "argon2i" | "argon2d";
  readonly version: 16 | 19;
  /** Bytes that name the secret which went into the hash; `null` where none did. */
  readonly keyId: Buffer | null;
  /** Of salt and output, in bytes. */
  readonly saltLength: number;
  readonly outputLength: number;
  /** Whether `password`, with the secret that `keyId` names, is what was hashed. */
  matches(password: string, secret?: Uint8Array): Promise<boolean>;
}

/** What a hash must have to mean something, in bytes. */
const minSaltLength = 8;
const minOutputLength = 16;
const maxLength = 64;

/** Of the hashes that are made here. */
const ownSaltLength = 16;
const ownOutputLength = 32;

const pattern =
  /^\$(argon2id|argon2i|argon2d)(?:\$v=(16|19))?\$m=(\d+),t=(\d+),p=(\d+)(?:,keyid=([A-Za-z0-9+/]{2,11}))?\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** Reads an argon2 hash in the PHC string format; one without a version is of version 16, as the format has it. */
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
  // The name of the secret is no input of the function; what the library sees is the hash that it knows how to read.
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

/** Whether a hash is cheaper to attack than one of `cost` that is made here. */
export function isWeaker(hash: Argon2Hash, cost: PasswordCost): boolean {
  return (
    hash.memoryCost < cost.memoryCost ||
    hash.timeCost < cost.timeCost ||
    hash.parallelism < cost.parallelism ||
    hash.saltLength < ownSaltLength ||
    hash.outputLength < ownOutputLength
  );
}

/** `password` under argon2id with a fresh salt of 16 bytes, in the PHC string format; `pepper` is named by `keyid`. */
export async function hashArgon2id(password: string, cost: PasswordCost, pepper?: PepperKey): Promise<string> {
  const { hash } = await loadArgon2();
  const { memoryCost, timeCost, parallelism } = cost;
  if (pepper === undefined) return hash(password, { memoryCost, timeCost, parallelism });
  const encoded = await hash(password, { memoryCost, timeCost, parallelism, secret: pepper.key });
  const keyId = Buffer.from(pepper.id).toString("base64").replace(/=+$/, "");
  return encoded.replace(/,p=\d+/, (parallelismField) => `${parallelismField},keyid=${keyId}`);
}

/** Loads the native addon at the first hash, so that importing tokenpair loads none. Later calls get the same module. */
function loadArgon2(): Promise<typeof import("@node-rs/argon2")> {
  return import("@node-rs/argon2");
}
