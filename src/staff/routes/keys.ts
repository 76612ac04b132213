import { z } from "zod";
import type { KeyRecord } from "../../core/store/keys.ts";
import type { Deps } from "../../flows/deps.ts";
import { defineEndpoint, type Endpoint } from "../../http/endpoint.ts";
import { timeSchema } from "../../http/openapi/responses.ts";
import { toJsonResponse } from "../../http/response/json.ts";
import { findEnd, toAccessRecords, toAccessStates, toSecretRecords, toVerifyingTime } from "../../keys/states.ts";
import { requireStaff } from "../access/require-staff.ts";
import type { StaffKey } from "../api.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { staffEndpoint, staffResponses } from "./responses.ts";

/** The schema of a signing key. */
export const keySchema = z.object({
  kid: z.string(),
  alg: z.string(),
  state: z.enum(["published", "signing", "verifying", "retired", "secret"]),
  made_at: timeSchema.nullable(),
  signs_from: timeSchema.nullable(),
  last_token_expires_at: timeSchema.nullable(),
});

/** `GET {adminPath}/keys`: lists the keys of the key ring, and the key in the settings. */
export const createKeysList = (staff: StaffDeps): Endpoint =>
  defineEndpoint({
    ...staffEndpoint,
    method: "GET",
    path: () => `${staff.adminPath}/keys`,
    operationId: "listStaffKeys",
    summary: "List the signing keys and secrets, oldest first, without what is secret about them.",
    responses: {
      ...staffResponses,
      200: { description: "The keys.", schema: z.object({ results: z.array(keySchema) }) },
    },
    async handle(context) {
      await requireStaff(staff, context, { permission: "read" });
      return toJsonResponse(200, { results: await readKeys(staff.deps) });
    },
  });

/** Reads the keys as the staff sees them. */
export async function readKeys({ store, settings, keys }: Deps): Promise<readonly StaffKey[]> {
  const records = await store.keys.read();
  const { now } = records;
  const access = toAccessRecords(records);
  const signer = keys.current().tokens.access;
  const isInRing = access.some(({ kid, sealed }) => kid === signer.kid && sealed !== null);
  const verifyingTime = toVerifyingTime(records, settings);
  const states = toAccessStates(access, { now, verifyingTime, signsInRing: isInRing });
  const accessKeys = access.map((record): StaffKey => {
    const state = states.get(record.kid) ?? "retired";
    return {
      ...toStaffKey(record),
      // A key in a setting either signs, or its tokens may still be valid.
      state: state === "configured" ? (record.kid === signer.kid ? "signing" : "verifying") : state,
      last_token_expires_at: findEnd(record, access, verifyingTime),
    };
  });
  const secrets = toSecretRecords(records).map((record): StaffKey => {
    const state = record.retiredAt === null ? "secret" : "retired";
    return { ...toStaffKey(record), state, last_token_expires_at: record.retiredAt ?? record.retireAt };
  });
  const isRecorded = access.some(({ kid }) => kid === signer.kid);
  const given: StaffKey = {
    kid: signer.kid,
    alg: signer.algorithm,
    state: "signing",
    made_at: null,
    signs_from: null,
    last_token_expires_at: null,
  };
  return [...accessKeys, ...(isRecorded ? [] : [given]), ...secrets];
}

function toStaffKey({ kid, algorithm, createdAt, signsFrom }: KeyRecord) {
  return { kid, alg: algorithm, made_at: createdAt, signs_from: signsFrom === 0 ? null : signsFrom };
}
