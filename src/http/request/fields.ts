import { z } from "zod";
import { JsonNumber } from "./json.ts";
import { fieldErrors } from "./request-error.ts";

/** The messages of Django REST framework, to the letter: clients of simplejwt show them. */
const messages = {
  required: "This field is required.",
  null: "This field may not be null.",
  blank: "This field may not be blank.",
  notText: "Not a valid string.",
  notBoolean: "Must be a valid boolean.",
  nul: "Null characters are not allowed.",
} as const;

interface TextOptions {
  /** Whether surrounding white space belongs to the value. Default: true. */
  readonly keepSpace?: boolean;
  /** In characters, which are code points. */
  readonly maxLength?: number;
  /** Refuses what no database keeps: NUL and half a surrogate pair. */
  readonly storable?: boolean;
}

/** A required string that is not blank; a number counts as its decimal text. */
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

/** Found without its surrounding white space. */
export const usernameField = textField({ keepSpace: false, storable: true });

/** Exactly as received. */
export const passwordField = textField().meta({ format: "password" });

export const tokenField = textField({ keepSpace: false });

/** `true` or `false`; `absent` where the field is missing. */
export function booleanField(absent: boolean) {
  return z.boolean({ error: ({ input }) => toTypeMessage(input, messages.notBoolean) }).default(absent);
}

/** One of `choices`; `absent` where the field is missing. */
export function choiceField<const C extends string>(choices: readonly [C, ...C[]], absent: NoInfer<C>) {
  const error = ({ input }: { readonly input?: unknown }) =>
    toTypeMessage(input, `"${String(toText(input))}" is not a valid choice.`);
  return z.enum(choices, { error }).default(absent as z.util.NoUndefined<C>);
}

/**
 * The fields of an object that came from a client.
 *
 * @throws RequestError 400 with every faulty field, in the order of the schema.
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
