/** Makes or finds the signing key beside the database that is named on the command line, and prints its digest. */
import { createHash } from "node:crypto";
import { makeSigningKey } from "../../src/server/signing-key.ts";

const path = process.argv[2] ?? "";
const { secret } = makeSigningKey({ label: "", path });
console.log(createHash("sha256").update(secret).digest("hex"));
