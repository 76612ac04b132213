import { type ReactNode, useId, useState } from "react";
import type { ChangeField } from "./change.ts";

/** The props of `Field`. */
export interface FieldProps {
  readonly field: ChangeField;
  readonly fault?: string | undefined;
  readonly autoComplete?: string;
  readonly maxLength?: number;
  readonly onToggle?: (isOn: boolean) => void;
}

/** One field of a dialog, with its hint and what is wrong with it. */
export function Field({ field, fault = "", autoComplete = "off", maxLength = 1_000, onToggle }: FieldProps): ReactNode {
  const id = useId();
  const { name, label, type = "text", hint, value, choices } = field;
  const describedBy = [hint === undefined ? "" : `${id}-hint`, fault === "" ? "" : `${id}-fault`].join(" ").trim();
  const common = { id, name, "aria-describedby": describedBy || undefined, "aria-invalid": fault !== "" };
  if (type === "checkbox") {
    return (
      <label className="check" htmlFor={id}>
        <input
          {...common}
          type="checkbox"
          defaultChecked={value === "on"}
          onChange={({ target }) => onToggle?.(target.checked)}
        />
        {label}
      </label>
    );
  }
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {field.isOptional ? <span className="quiet"> (optional)</span> : null}
      </label>
      {hint === undefined ? null : (
        <p className="quiet" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {choices === undefined ? (
        <input
          {...common}
          type={type}
          defaultValue={value}
          autoComplete={autoComplete}
          maxLength={maxLength}
          spellCheck={name === "reason"}
          dir="auto"
        />
      ) : (
        <select {...common} defaultValue={value}>
          {choices.map(([choice, text]) => (
            <option key={choice} value={choice}>
              {text}
            </option>
          ))}
        </select>
      )}
      {fault === "" ? null : (
        <p className="fault" id={`${id}-fault`} role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}

/** The fields of a dialog. */
export function ChangeFields({
  fields,
  faults,
}: {
  readonly fields: readonly ChangeField[];
  readonly faults: Readonly<Record<string, string>>;
}): ReactNode {
  const [isOn, setOn] = useState<Readonly<Record<string, boolean>>>(() =>
    Object.fromEntries(
      fields.filter(({ type }) => type === "checkbox").map(({ name, value }) => [name, value === "on"]),
    ),
  );
  return fields
    .filter(({ unless }) => unless === undefined || !isOn[unless])
    .map((field) => (
      <Field
        key={field.name}
        field={field}
        fault={faults[field.name]}
        autoComplete={field.type === "password" ? "new-password" : "off"}
        onToggle={(checked) => setOn((before) => ({ ...before, [field.name]: checked }))}
      />
    ));
}
