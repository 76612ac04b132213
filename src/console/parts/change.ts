import { createContext, type ReactNode, useContext } from "react";
import type { Confirmation, Revoked } from "../../staff/api.ts";

/** A field of the dialog, besides the reason. */
export interface ChangeField {
  readonly name: string;
  readonly label: string;
  readonly type?: "text" | "email" | "password" | "checkbox";
  readonly hint?: string;
  /** What the field holds first. For a checkbox: `on` or nothing. */
  readonly value?: string;
  readonly isOptional?: boolean;
  /** The only text that is accepted. */
  readonly expected?: string;
  /** The values to choose from, with their texts. */
  readonly choices?: readonly (readonly [value: string, text: string])[];
  /** The name of a checkbox. While it is on, this field isn't needed. */
  readonly unless?: string;
}

/** What a person has filled in. */
export type ChangeValues = Readonly<Record<string, string>> & { readonly reason: string };

/** What was done. */
export interface ChangeResult {
  /** What is shown for a few seconds. */
  readonly title: string;
  readonly description?: string;
  /** Something that is shown only now, such as a generated password. */
  readonly secret?: { readonly label: string; readonly text: string };
}

/** A change that the staff can make. */
export interface Change {
  /** The question: `Disable grace?` */
  readonly title: string;
  /** What will happen, one sentence each. */
  readonly consequences: readonly ReactNode[];
  /** The text of the button: `Disable grace`. */
  readonly submit: string;
  readonly isDangerous?: boolean;
  /** Whether the server asks for a recent confirmation. */
  readonly needsConfirmation?: boolean;
  /** Whether no reason is asked for. */
  readonly hasNoReason?: boolean;
  /** The reason that was given in the step before. */
  readonly reason?: string;
  readonly fields?: readonly ChangeField[];
  /** Makes the change, or returns the next step. */
  run(values: ChangeValues): Promise<ChangeResult | { readonly next: Change }>;
}

/** Hands down the function that opens the dialog of a change. */
export const ChangeContext = createContext<(change: Change) => void>(() => undefined);

/** Returns a function that opens the dialog of a change: it takes the reason, and the password if that is needed, and makes the change. */
export const useChange = (): ((change: Change) => void) => useContext(ChangeContext);

const confirmations: Readonly<Record<Exclude<Confirmation, null>, string>> = {
  acks: "Every node has confirmed it.",
  expiry: "Every node that is reachable has confirmed it. The others no longer answer from memory.",
  pending: "It is saved. Not every node has confirmed it yet.",
};

/** Says how a revocation was confirmed. */
export function toConfirmationText(confirmed: Confirmation): Pick<ChangeResult, "description"> {
  return confirmed === null ? {} : { description: confirmations[confirmed] };
}

/** Says how many sessions were revoked, and how that was confirmed. */
export function toRevokedResult({ sessions, confirmed }: Revoked, ofWhom = ""): ChangeResult {
  const title = `${sessions === 1 ? "1 session" : `${sessions} sessions`}${ofWhom} revoked.`;
  return { title, ...toConfirmationText(confirmed) };
}
