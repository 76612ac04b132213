import type { ReactNode } from "react";
import type { Page, Revoked, StaffSession } from "../../staff/api.ts";
import { useParts } from "../data/context.ts";
import { toRevokedResult, useChange } from "../parts/change.ts";
import { toNumber } from "../parts/pager.tsx";

/** The props of `RevokeManyButton`. */
export interface RevokeManyButtonProps {
  /** The parameters of the list. */
  readonly filter: Readonly<Record<string, string>>;
  /** The page of the list that is shown. */
  readonly page: Page<StaffSession>;
}

/** The button that revokes all sessions that match the filters. */
export function RevokeManyButton({ filter, page }: RevokeManyButtonProps): ReactNode {
  const { api } = useParts();
  const ask = useChange();
  if (filter["state"] !== "live") return null;
  const isFiltered = Object.entries(filter).some(([name, value]) => name !== "state" && value !== "");
  const expected = page.count ?? page.results.length;
  const isExact = page.count !== undefined || (page.next === null && page.previous === null);
  const count = isExact ? `${toNumber(expected)} ` : "";
  return (
    <button
      type="button"
      className="danger"
      onClick={() =>
        ask({
          title: isFiltered ? `Revoke all ${count}sessions that match?` : "Revoke all sessions of everybody?",
          consequences: [
            isFiltered
              ? "Every session that matches the filters is revoked on every node, within a second."
              : "Everybody is logged out on every node, within a second: you too.",
            "The users can log in again.",
          ],
          submit: "Revoke sessions",
          isDangerous: true,
          needsConfirmation: true,
          async run({ reason }) {
            const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ""));
            const body = isFiltered ? { filter: given, expected } : { all: true };
            return toRevokedResult(await api.send<Revoked>("POST", "sessions/revoke/", { ...body, reason }));
          },
        })
      }
    >
      {isFiltered ? `Revoke all ${count}that match…` : "Revoke all…"}
    </button>
  );
}
