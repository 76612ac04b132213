import { AlertDialog } from "@base-ui/react/alert-dialog";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { ClientError } from "../../client/index.ts";
import { useMe, useParts } from "../data/context.ts";
import { StaffError, toErrorText } from "../data/staff-error.ts";
import { type Change, ChangeContext, type ChangeResult, type ChangeValues } from "./change.ts";
import { ChangeFields, Field } from "./change-fields.tsx";
import { CopyButton } from "./copy.tsx";
import { useToast } from "./toasts.tsx";

/** Provides `useChange`: one dialog for every change that the staff makes. */
export function ChangeProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [change, setChange] = useState<Change | null>(null);
  const [isOpen, setOpen] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const first = useRef<HTMLDivElement>(null);
  const opener = useRef<Element>(null);
  const ask = useCallback((next: Change) => {
    opener.current = document.activeElement;
    setChange(next);
    setOpen(true);
  }, []);
  return (
    <ChangeContext value={ask}>
      {children}
      <AlertDialog.Root
        open={isOpen}
        onOpenChange={(open) => isBusy || setOpen(open)}
        onOpenChangeComplete={(open) => open || setChange(null)}
      >
        <AlertDialog.Portal>
          <AlertDialog.Backdrop className="backdrop" />
          <AlertDialog.Viewport className="dialog-place">
            <AlertDialog.Popup
              ref={first}
              className="dialog"
              // The change may have removed the button that opened the dialog.
              finalFocus={() => opener.current?.isConnected || document.querySelector<HTMLElement>("h1")}
              initialFocus={() => first.current?.querySelector<HTMLElement>("input, select") ?? true}
            >
              {change === null ? null : (
                <ChangeForm
                  key={change.title}
                  change={change}
                  setChange={setChange}
                  setBusy={setBusy}
                  focusDialog={() => first.current?.focus()}
                  close={() => setOpen(false)}
                />
              )}
            </AlertDialog.Popup>
          </AlertDialog.Viewport>
        </AlertDialog.Portal>
      </AlertDialog.Root>
    </ChangeContext>
  );
}

interface ChangeFormProps {
  readonly change: Change;
  readonly setChange: (next: Change) => void;
  readonly setBusy: (isBusy: boolean) => void;
  /** Moves the focus to the dialog itself, so that it is read, and Enter does nothing. */
  readonly focusDialog: () => void;
  readonly close: () => void;
}

/** What is wrong: by field, and in general. */
interface Faults {
  readonly text: string;
  readonly fields: Readonly<Record<string, string>>;
}

const none: Faults = { text: "", fields: {} };

function ChangeForm({ change, setChange, setBusy, focusDialog, close }: ChangeFormProps): ReactNode {
  const { client, clock } = useParts();
  const me = useMe();
  const queries = useQueryClient();
  const toast = useToast();
  const form = useRef<HTMLFormElement>(null);
  const [faults, setFaults] = useState(none);
  const [isRunning, setRunning] = useState(false);
  const [secret, setSecret] = useState<ChangeResult["secret"]>();
  // Asked for a little early, so that the time isn't over before the reason is typed.
  const [needsPassword, setNeedsPassword] = useState(
    () => change.needsConfirmation === true && me.confirmed_until - clock.now() < 30,
  );

  async function run(values: ChangeValues, password: string): Promise<void> {
    let isHeld = false;
    setRunning(true);
    setBusy(true);
    setFaults(none);
    try {
      if (needsPassword) await client.confirm(password);
      const result = await change.run(values);
      if ("next" in result) {
        await queries.invalidateQueries({ queryKey: ["me/"] });
        flushSync(() => setChange(result.next));
        focusDialog();
        return;
      }
      toast(result.title, result.description);
      await queries.invalidateQueries();
      if (result.secret === undefined) close();
      else {
        flushSync(() => setSecret(result.secret));
        focusDialog();
        // Only its button closes it, because the secret is lost then.
        isHeld = true;
      }
    } catch (error) {
      const isAsked = error instanceof StaffError && error.code === "confirmation_required";
      const found = toFaults(error, new Set(["reason", ...(change.fields ?? []).map(({ name }) => name)]));
      flushSync(() => {
        if (isAsked) setNeedsPassword(true);
        setFaults(found);
      });
      if (form.current !== null) focusFirst(form.current, isAsked ? { "own-password": "" } : found.fields);
    } finally {
      setRunning(false);
      setBusy(isHeld);
    }
  }

  if (secret !== undefined) {
    return (
      <div className="dialog-form">
        <AlertDialog.Title>{secret.label}</AlertDialog.Title>
        <AlertDialog.Description>Copy it now: it is shown only once.</AlertDialog.Description>
        <p className="secret">
          <code>{secret.text}</code> <CopyButton text={secret.text} what={secret.label} />
        </p>
        <div className="end">
          <button
            type="button"
            className="primary"
            onClick={() => {
              setBusy(false);
              close();
            }}
          >
            Close
          </button>
        </div>
      </div>
    );
  }
  return (
    <form
      ref={form}
      className="dialog-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (isRunning) return;
        const values = Object.fromEntries([...new FormData(event.currentTarget)].map(([name, v]) => [name, String(v)]));
        const missing = findMissing(change, values, needsPassword);
        if (Object.keys(missing).length > 0) {
          setFaults({ text: "", fields: missing });
          focusFirst(event.currentTarget, missing);
        } else {
          const { "own-password": password = "", ...rest } = values;
          void run({ ...rest, reason: values["reason"] ?? "" }, password);
        }
      }}
    >
      <AlertDialog.Title>{change.title}</AlertDialog.Title>
      <AlertDialog.Description render={change.consequences.length === 1 ? <p /> : <ul />}>
        {change.consequences.length === 1
          ? change.consequences[0]
          : change.consequences.map((text, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes
              <li key={index}>{text}</li>
            ))}
      </AlertDialog.Description>
      <ChangeFields fields={change.fields ?? []} faults={faults.fields} />
      {change.hasNoReason ? null : (
        <Field
          field={{
            name: "reason",
            label: "Reason",
            value: change.reason ?? "",
            hint: "Recorded in the audit log. No passwords or tokens.",
          }}
          fault={faults.fields["reason"]}
          maxLength={500}
        />
      )}
      {needsPassword ? (
        <Field
          field={{
            name: "own-password",
            label: "Your password",
            type: "password",
            hint: `Asked for again after 10 minutes. You are ${me.username}.`,
          }}
          fault={faults.fields["own-password"]}
          autoComplete="current-password"
        />
      ) : null}
      <p className="state bad" role="alert" hidden={faults.text === ""}>
        {faults.text}
      </p>
      <div className="end">
        <AlertDialog.Close aria-disabled={isRunning}>Cancel</AlertDialog.Close>
        <button type="submit" className={change.isDangerous ? "danger primary" : "primary"} aria-disabled={isRunning}>
          {isRunning ? "Working…" : change.submit}
        </button>
      </div>
    </form>
  );
}

function findMissing(
  { fields = [], hasNoReason }: Change,
  values: Readonly<Record<string, string>>,
  needsPassword: boolean,
): Readonly<Record<string, string>> {
  const missing: Record<string, string> = {};
  for (const { name, label, type, isOptional, expected, unless, choices } of fields) {
    const value = values[name]?.trim() ?? "";
    if (unless !== undefined && values[unless] !== undefined) continue;
    if (expected !== undefined && value !== expected) missing[name] = `Enter “${expected}”.`;
    else if (value === "" && !isOptional && type !== "checkbox" && choices === undefined) {
      missing[name] = `${label} is missing.`;
    }
  }
  if (!hasNoReason && (values["reason"] ?? "").trim() === "") missing["reason"] = "Say why.";
  if (needsPassword && (values["own-password"] ?? "") === "") missing["own-password"] = "Enter your password.";
  return missing;
}

function focusFirst(form: HTMLFormElement, missing: Readonly<Record<string, string>>): void {
  [...form.querySelectorAll<HTMLElement>("input, select")]
    .find((element) => Object.hasOwn(missing, element.getAttribute("name") ?? ""))
    ?.focus();
}

/** `shown`: the fields that show what is wrong with them. */
function toFaults(error: unknown, shown: ReadonlySet<string>): Faults {
  if (error instanceof ClientError && error.code === "invalid") {
    return { text: "", fields: { "own-password": "The password is wrong." } };
  }
  if (error instanceof StaffError && Object.keys(error.fields).length > 0) {
    const hasPlace = Object.keys(error.fields).every((name) => shown.has(name));
    return { text: hasPlace ? "" : error.message, fields: error.fields };
  }
  return { text: toErrorText(error), fields: {} };
}
