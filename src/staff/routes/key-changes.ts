import { z } from "zod";
import type { ListedAuditEntry } from "../../core/store/staff.ts";
import { createKeks, type Keks } from "../../crypto/keys/key-encryption.ts";
import { retireKey, rotateKeys } from "../../flows/keys/keys.ts";
import type { KeyRefusal } from "../../flows/keys/rules.ts";
import type { Endpoint } from "../../http/endpoint.ts";
import { RequestError } from "../../http/request/request-error.ts";
import { toJsonResponse } from "../../http/response/json.ts";
import { toPermissionGuard } from "../access/authorize.ts";
import { hasMade } from "../repeats.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { defineChange } from "./change.ts";
import { keySchema, readKeys } from "./keys.ts";

const fields = { now: z.boolean().optional() };
const answer = z.object({ results: z.array(keySchema) });

/** Creates the endpoints that rotate and retire the keys of the key ring. */
export function createKeyChanges(staff: StaffDeps): readonly Endpoint[] {
  const common = { method: "POST", permission: "keys.write", needsConfirmation: true, fields, answer } as const;
  return [
    defineChange(staff, {
      ...common,
      path: "/keys/rotate",
      operationId: "rotateStaffKeys",
      summary: "Add the next signing key. With `now`, it signs at once.",
      async run({ member, body, client }) {
        const keks = requireKeks(staff);
        await requireRing(staff);
        const guard = toPermissionGuard(staff, member, "keys.write");
        requireDone(await rotateKeys(staff.deps, { keks, isImmediate: body.now ?? false, client, guard }));
        return toJsonResponse(200, { results: await readKeys(staff.deps) });
      },
      async repeat(request) {
        if (!(await hasMade(staff, request, { types: ["key_added"] }))) return null;
        return toJsonResponse(200, { results: await readKeys(staff.deps) });
      },
    }),
    defineChange(staff, {
      ...common,
      path: "/keys/{kid}/retire",
      operationId: "retireStaffKey",
      summary: "Stop accepting a key when its last token has expired. With `now`, at once.",
      async run({ member, id, body, client }) {
        const keks = requireKeks(staff);
        const signsInRing = await hasRing(staff);
        const guard = toPermissionGuard(staff, member, "keys.write");
        const options = { keks, isImmediate: body.now ?? false, client, guard, signsInRing };
        requireDone(await retireKey(staff.deps, id, options));
        return toJsonResponse(200, { results: await readKeys(staff.deps) });
      },
      async repeat(request) {
        const isIt = ({ details }: ListedAuditEntry) => details["kid"] === request.id;
        const isMade = await hasMade(staff, request, { types: ["key_retired"] }, isIt);
        if (!isMade || !(await isRetiring(staff, request.id))) return null;
        return toJsonResponse(200, { results: await readKeys(staff.deps) });
      },
    }),
  ];
}

/** Returns whether a key of the ring signs on this node. */
async function hasRing({ deps }: StaffDeps): Promise<boolean> {
  const { kid } = deps.keys.current().tokens.access;
  const { keys } = await deps.store.keys.read();
  return keys.some((record) => record.kid === kid && record.sealed !== null);
}

/** Returns whether a key is retired, or will be. A retirement is undone if the next key is retired first. */
async function isRetiring({ deps }: StaffDeps, kid: string): Promise<boolean> {
  const { keys } = await deps.store.keys.read();
  return keys.some((record) => record.kid === kid && (record.retireAt !== null || record.retiredAt !== null));
}

/** @throws RequestError 409 if a key in a setting signs. */
async function requireRing(staff: StaffDeps): Promise<void> {
  if (await hasRing(staff)) return;
  throw refuse("The nodes sign with a key in their settings. Change it there.");
}

/** @throws RequestError 409 if this node can't encrypt a key. */
function requireKeks({ deps }: StaffDeps): Keks {
  const { keyEncryptionKey } = deps.settings;
  if (keyEncryptionKey !== undefined) return createKeks(keyEncryptionKey);
  throw refuse("The keys are in the settings: keyEncryptionKey is not set. Change them there.");
}

/** @throws RequestError 409 with what the flow says. */
function requireDone<T extends object>(result: T | KeyRefusal): T {
  if (!("refusal" in result)) return result;
  throw refuse(`${result.refusal.slice(0, 1).toUpperCase()}${result.refusal.slice(1)}.`);
}

const refuse = (detail: string) => new RequestError(409, { detail, code: "refused" });
