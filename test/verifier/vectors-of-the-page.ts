import { readFileSync } from "node:fs";
import type { VerifierVectors } from "../../scripts/verifier-vectors.ts";

/** docs/verifier/vectors.json. */
export const vectors: VerifierVectors = JSON.parse(
  readFileSync(new URL("../../docs/verifier/vectors.json", import.meta.url), "utf8"),
);

/** Returns the bytes of hexadecimal digits. */
export const toBytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
