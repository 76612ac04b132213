import type { ClientInfo } from "../core/client-info.ts";
import type { KeyChange, KeyRecords } from "../core/store/keys.ts";
import type { AuthEvent } from "../events/events.ts";

/**
 * Returns the events of a change of the key ring: the keys that were added, and the keys that will be retired. Changes of
 * secrets have no events here.
 */
export function toKeyEvents(
  { add = [], update = [] }: KeyChange,
  { now: time, keys }: Pick<KeyRecords, "now" | "keys">,
  client: ClientInfo = {},
): readonly AuthEvent[] {
  const accessKids = new Set(keys.filter(({ use }) => use === "access").map(({ kid }) => kid));
  const added = add.filter(({ use, sealed }) => use === "access" && sealed !== null);
  const retired = update.flatMap(({ kid, retireAt, retiredAt }) => {
    const end = retiredAt ?? retireAt ?? null;
    return end === null || !accessKids.has(kid) ? [] : [{ kid, end }];
  });
  return [
    ...added.map(
      ({ kid, algorithm, signsFrom }) => ({ type: "key_added", time, kid, algorithm, signsFrom, client }) as const,
    ),
    ...retired.map(({ kid, end }) => ({ type: "key_retired", time, kid, retireAt: end, client }) as const),
  ];
}
