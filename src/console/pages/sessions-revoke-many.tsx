import type { ReactNode } from "react";
import type { Revoked } from "../../staff/api.ts";
import { useParts } from "../data/context.ts";
import { type Change, toRevokedResult, useChange } from "../parts/change.ts";
import { toNumber } from "../parts/pager.tsx";

/** The button that revokes all sessions that match the filters, or all there are. The server counts them first. */
export function RevokeManyButton({ filter }: { readonly filter: Readonly<Record<string, string>> }): ReactNode {
  const { api } = useParts();
  const ask = useChange();
  const given = Object.fromEntries(Object.entries(filter).filter(([name, value]) => value !== "" && name !== "state"));
  const isFiltered = Object.keys(given).length > 0;
  const revoke = async (body: unknown) => api.send<Revoked>("POST", "sessions/revoke/", body);
  const everything: Change = {
    title: "Revoke all sessions of all users?",
    consequences: [
      "All users are logged out on every node, within a second, and so are you.",
      "The users can log in again.",
    ],
    submit: "Revoke all sessions",
    isDangerous: true,
    needsConfirmation: true,
    run: async ({ reason }) => toRevokedResult(await revoke({ all: true, reason })),
  };
  const matching: Change = {
    title: "Revoke all sessions that match?",
    consequences: ["The server counts them first. Your own session is left out.", "The users can log in again."],
    submit: "Count them",
    needsConfirmation: true,
    async run({ reason }) {
      const { sessions: expected } = await revoke({ filter: given, dry_run: true, reason });
      if (expected === 0) return { title: "No session matches.", description: "Nothing was revoked." };
      return { next: toSecondStep(expected, reason) };
    },
  };
  const toSecondStep = (expected: number, reason: string): Change => ({
    title: `Revoke ${expected === 1 ? "1 session" : `${toNumber(expected)} sessions`}?`,
    consequences: [
      "They are revoked on every node, within a second.",
      "If many more sessions match by then, nothing is revoked.",
    ],
    submit: expected === 1 ? "Revoke 1 session" : `Revoke ${toNumber(expected)} sessions`,
    isDangerous: true,
    needsConfirmation: true,
    reason,
    run: async (values) => toRevokedResult(await revoke({ filter: given, expected, reason: values.reason })),
  });
  return (
    <button type="button" className="danger" onClick={() => ask(isFiltered ? matching : everything)}>
      {isFiltered ? "Revoke all that match…" : "Revoke all…"}
    </button>
  );
}
