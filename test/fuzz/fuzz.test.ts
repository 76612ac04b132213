import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createConfigFileTarget, databaseUrl, environment } from "./targets/config.ts";
import {
  authorization,
  cookies,
  csrfToken,
  deviceToken,
  forwardedFor,
  idempotencyKey,
  serviceCredential,
} from "./targets/headers.ts";
import { createBodyTarget, json } from "./targets/json-body.ts";
import { asymmetricToken, signingKey } from "./targets/signing-key.ts";
import { storedHash } from "./targets/stored-hash.ts";
import { payload, protectedHeader, token } from "./targets/token.ts";
import { userFile } from "./targets/user-file.ts";

/** How long each target runs. `npm run fuzz` takes a longer time. */
const seconds = Number(process.env["TOKENPAIR_FUZZ_SECONDS"] ?? 0.2);

const folder = mkdtempSync(join(tmpdir(), "tokenpair-fuzz-"));
const body = createBodyTarget();

const targets = [
  token,
  payload,
  protectedHeader,
  asymmetricToken,
  signingKey,
  authorization,
  serviceCredential,
  cookies,
  csrfToken,
  idempotencyKey,
  deviceToken,
  forwardedFor,
  json,
  body.target,
  storedHash,
  userFile,
  environment,
  databaseUrl,
  createConfigFileTarget(folder),
];

describe("a parser of hostile input", () => {
  beforeAll(() => body.open());
  afterAll(async () => {
    await body.close();
    rmSync(folder, { recursive: true });
  });

  it.each(targets)(
    "handles every mutation of $name",
    { timeout: seconds * 1_000 + 300_000 },
    async ({ name, inputs, check }) => {
      let inputsTried = 0;
      const property = fc.asyncProperty(inputs, async (input) => {
        inputsTried += 1;
        await check(input);
      });
      // Without a limit, because fast-check reports a failure if the time is over before the first result.
      await fc.assert(property, { numRuns: 20 });
      const result = await fc.check(property, {
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: seconds * 1_000,
      });
      if (result.counterexample !== null || (result.failed && !result.interrupted)) {
        throw new Error(fc.defaultReportMessage(result), { cause: result.errorInstance });
      }
      expect(inputsTried).toBeGreaterThan(20);
      console.log(`fuzz: ${name}: ${inputsTried.toLocaleString("en")} inputs`);
    },
  );
});
