import { generateKeyPairSync } from "node:crypto";
import type { Algorithm } from "../../../src/core/settings/session-settings.ts";
import { asymmetricAlgorithms } from "../../../src/crypto/keys/algorithms.ts";
import {
  generateKeyMaterial,
  type KeyMaterial,
  toPrivateMaterial,
  toSigningKey,
} from "../../../src/crypto/keys/key-material.ts";
import type { SigningKey } from "../../../src/crypto/keys/signing-key.ts";

/** Every algorithm with a private and a public key. */
export const algorithms = asymmetricAlgorithms;

/** One RSA key for all tests: making one takes long. */
export const rsaKey = generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey;

/** One key of each algorithm. Those of RSA are the same key. */
export const materials = Object.fromEntries(
  algorithms.map((algorithm) => [
    algorithm,
    /^[RP]S/.test(algorithm) ? toPrivateMaterial(rsaKey, algorithm) : generateKeyMaterial(algorithm),
  ]),
) as Readonly<Record<Algorithm, KeyMaterial>>;

/** Returns the key that signs access tokens with `algorithm`. */
export const toAccessKey = (algorithm: Algorithm): SigningKey => toSigningKey(materials[algorithm], { use: "access" });
