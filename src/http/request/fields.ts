import { z } from "zod";
import { JsonNumber } from "./json.ts";
import { fieldErrors } from "./request-error.ts";

/** The messages of Django REST framework, word for word, because simplejwt's clients show them. */
const messages = {
  required: "This field is required.",
  null: "This field may not be null.",
  blank: "This field may not be blank.",
  notText: "Not a valid string.",
  notBoolean: "Must be a valid boolean.",
  nul: "Null characters are not allowed.",
} as const;

interface TextOptions {
  /** Whether surrounding white space is part of the value. Default: true. */
  readonly keepSpace?: boolean;
  /** The maximum length in code points. Default: no limit. */
  readonly maxLength?: number;
  /** Whether to refuse characters that a database can't store: NUL and lone surrogates. Default: false. */
  readonly storable?: boolean;
}

/** Creates the schema of a required string that is not blank. A number is converted to its decimal text. */
export function textField({ keepSpace = true, maxLength = Infinity, storable = false }: TextOptions = {}) {
  const text = z
    .string({ error: ({ input }) => toTypeMessage(input, messages.notText) })
    .refine((value) => value.trim() !== "", { error: messages.blank, abort: true })
    .transform((value) => (keepSpace ? value : value.trim()))
    .superRefine((value, issues) => {
      const report = (message: string) => issues.addIssue({ code: "custom", message });
      if (storable && value.includes("\0")) report(messages.nul);
      if (storable) reportSurrogates(value, report);
      if ([...value].length > maxLength) report(`Ensure this field has no more than ${maxLength} characters.`);
    });
  return z.preprocess(toText, text).meta({ minLength: 1, ...(maxLength === Infinity ? {} : { maxLength }) });
}

/** Creates the schema of a whole number that is not negative. */
export function countField() {
  const toNumber = (value: unknown) => (value instanceof JsonNumber ? Number(value.text) : value);
  return z.preprocess(toNumber, z.int("A valid integer is required.").min(0, "This can't be negative."));
}

/** The schema of a username. Surrounding white space is removed. */
export const usernameField = textField({ keepSpace: false, storable: true }).meta({ description: "The user's name." });

/** The schema of a password. It is used exactly as received. */
export const passwordField = textField().meta({ format: "password", description: "The password." });

/** The schema of a token. Surrounding white space is removed. */
export const tokenField = textField({ keepSpace: false });

/** Creates the schema of a boolean. `missing` is the value if the field is missing. */
export function booleanField(missing: boolean) {
  return z.boolean({ error: ({ input }) => toTypeMessage(input, messages.notBoolean) }).default(missing);
}

/** Creates the schema of a checkbox of a form: browsers send "on", or what `value` says, or nothing if it isn't checked. */
export function checkboxField() {
  return z
    .enum(["on", "true", "1", "off", "false", "0", ""], { error: messages.notBoolean })
    .default("off")
    .transform((text) => text === "on" || text === "true" || text === "1");
}

/** Creates the schema of one of `choices`, with the value of a missing field. */
export function choiceField<const C extends string>(choices: readonly [C, ...C[]], missing: NoInfer<C>) {
  const error = ({ input }: { readonly input?: unknown }) =>
    toTypeMessage(input, `"${String(toText(input))}" is not a valid choice.`);
  return z.enum(choices, { error }).default(missing as z.util.NoUndefined<C>);
}

/**
 * Returns the fields that a client sent, after the conversions of the schema.
 *
 * @throws RequestError 400 with messages for every invalid field, in the order of the schema.
 */
export function parseFields<B>(schema: z.ZodType<B>, fields: Readonly<Record<string, unknown>>): B {
  const parsed = schema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const errors: Record<string, string[]> = {};
  for (const { path, message } of parsed.error.issues) {
    const field = String(path[0]);
    errors[field] = [...(errors[field] ?? []), message];
  }
  throw fieldErrors(errors);
}

function toText(value: unknown): unknown {
  return value instanceof JsonNumber ? value.text : value;
}

function toTypeMessage(input: unknown, otherwise: string): string {
  if (input === undefined) return messages.required;
  return input === null ? messages.null : otherwise;
}

function reportSurrogates(value: string, report: (message: string) => void): void {
  const found = /\p{Surrogate}/u.exec(value);
  if (found === null) return;
  report(`Surrogate characters are not allowed: U+${found[0].charCodeAt(0).toString(16).toUpperCase()}.`);
}
