import type { KeyRecord, KeyUpdate } from "../core/store/keys.ts";

/**
 * Returns a record with the values of an update.
 *
 * @throws TypeError if there is no such record.
 */
export function toUpdatedRecord(record: KeyRecord | undefined, update: KeyUpdate): KeyRecord {
  if (record === undefined) throw new TypeError(`keys.change: no key has the kid ${update.kid}`);
  return { ...record, ...update };
}
