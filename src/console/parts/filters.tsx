import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import type { Search } from "../data/use-search.ts";

/** How long a text field waits for more, in milliseconds. */
const typingPause = 300;

/** The props of `Filters`. */
export interface FiltersProps {
  readonly label: string;
  /** How many are in use. In a narrow window, the filters then are behind a button that says so. */
  readonly used?: number;
  readonly children: ReactNode;
}

/** The filters of a list. Their values are in the page's address. */
export function Filters({ label, used, children }: FiltersProps): ReactNode {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  return (
    <search aria-label={label}>
      {used === undefined ? null : (
        <button
          type="button"
          className="filters-toggle"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => setOpen(!isOpen)}
        >
          Filters{used === 0 ? "" : ` (${used})`}
        </button>
      )}
      <form
        id={id}
        className={used === undefined || isOpen ? "filters" : "filters folded"}
        onSubmit={(event: FormEvent) => event.preventDefault()}
      >
        {children}
      </form>
    </search>
  );
}

/** The props of a filter. */
export interface FilterProps {
  readonly search: Search;
  /** The parameter's name. */
  readonly name: string;
  readonly label: string;
}

/** The props of a filter that is a text. */
export interface TextFilterProps extends FilterProps {
  readonly type?: "search" | "text" | "datetime-local";
  readonly placeholder?: string;
  /** Whether it fills a line in a narrow window. */
  readonly isWide?: boolean;
  /** Converts between the parameter and what the field shows. */
  readonly convert?: { readonly toField: (value: string) => string; readonly fromField: (text: string) => string };
  /** Called when Enter is pressed. */
  readonly onEnter?: () => void;
}

const asItIs = { toField: (value: string) => value, fromField: (text: string) => text };

/** A filter that is a text. It is applied when the typing pauses. */
export function TextFilter({
  search,
  name,
  label,
  type = "text",
  placeholder,
  isWide = false,
  convert = asItIs,
  onEnter,
}: TextFilterProps): ReactNode {
  const given = convert.toField(search.get(name));
  const [text, setText] = useState(given);
  const sent = useRef(given);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // The address has changed by something else, such as the browser's back button.
  if (sent.current !== given) {
    sent.current = given;
    setText(given);
  }
  useEffect(() => () => clearTimeout(timer.current), []);
  const apply = (value: string) => {
    clearTimeout(timer.current);
    if (sent.current === value) return;
    sent.current = value;
    search.set({ [name]: convert.fromField(value) }, { replace: true });
  };
  return (
    <label className={isWide ? "broad" : type === "datetime-local" ? "date" : undefined}>
      <span>{label}</span>
      <input
        type={type}
        name={name}
        value={text}
        placeholder={placeholder}
        autoComplete="off"
        spellCheck={false}
        maxLength={254}
        onChange={({ target }) => {
          setText(target.value);
          clearTimeout(timer.current);
          timer.current = setTimeout(apply, typingPause, target.value);
        }}
        onBlur={() => apply(text)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          apply(text);
          onEnter?.();
        }}
      />
    </label>
  );
}

/** The filter by user, which takes a name or an id: see `useUserFilter`. */
export function UserTextFilter({ search }: Pick<FilterProps, "search">): ReactNode {
  const either: Search = {
    get: () => search.get("who") || search.get("user"),
    set: ({ who = "" }, options) => search.set({ who, user: "" }, options),
  };
  return <TextFilter search={either} name="who" label="User" type="search" placeholder="Name or id" />;
}

/** The props of a filter that is one of some values. */
export interface ChoiceFilterProps extends FilterProps {
  /** Values with their texts. The empty value means no filter. */
  readonly choices: readonly (readonly [value: string, text: string])[];
}

/** A filter that is one of some values. */
export function ChoiceFilter({ search, name, label, choices }: ChoiceFilterProps): ReactNode {
  return (
    <label>
      <span>{label}</span>
      <select name={name} value={search.get(name)} onChange={({ target }) => search.set({ [name]: target.value })}>
        {choices.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
