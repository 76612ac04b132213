import jsTokens from "js-tokens";
import type { TextKind } from "./rules.ts";

/** A piece of text that a person reads as a whole: a comment, a string, an identifier, a paragraph. */
export interface Passage {
  readonly kind: TextKind;
  /** The line on which it begins, from 1. */
  readonly line: number;
  /** Has as many line ends as the source, so that a match's line can be counted. */
  readonly text: string;
}

/** Returns the comments, string literals and identifiers of TypeScript. Each identifier is returned once. */
export function readTypeScript(source: string, options: { readonly jsx?: boolean } = {}): Passage[] {
  const passages: Passage[] = [];
  const seen = new Set<string>();
  let line = 1;
  let lineComments: { readonly line: number; readonly texts: string[] } | null = null;
  let isSpecifier = false;

  const addIdentifier = (name: string) => {
    if (!seen.has(name)) passages.push({ kind: "identifier", line, text: toWords(name) });
    seen.add(name);
  };
  const addString = (text: string) => {
    if (/^[\w$]+$/.test(text)) addIdentifier(text);
    else passages.push({ kind: "prose", line, text });
  };
  const endLineComments = () => {
    if (lineComments !== null)
      passages.push({ kind: "prose", line: lineComments.line, text: lineComments.texts.join("\n") });
    lineComments = null;
  };

  for (const { type, value } of jsTokens(source, { jsx: options.jsx === true } as { jsx: true })) {
    if (type === "SingleLineComment") {
      lineComments ??= { line, texts: [] };
      lineComments.texts.push(withoutCode(value.slice(2)));
    } else if (type !== "WhiteSpace" && type !== "LineTerminatorSequence") endLineComments();
    if (type === "MultiLineComment") passages.push({ kind: "prose", line, text: withoutCode(withoutStars(value)) });
    if (type === "StringLiteral" && !isSpecifier) addString(value.slice(1, -1));
    if (
      type.startsWith("Template") ||
      type === "NoSubstitutionTemplate" ||
      type === "JSXText" ||
      type === "JSXString"
    ) {
      addString(value.replace(/^[`}"']|(?:\$\{|[`"'])$/g, ""));
    }
    if (type === "IdentifierName" || type === "PrivateIdentifier") addIdentifier(value);
    if (type !== "WhiteSpace") isSpecifier = type === "IdentifierName" && /^(?:from|import)$/.test(value);
    line += value.match(/\n/g)?.length ?? 0;
  }
  endLineComments();
  return passages;
}

/** Returns the paragraphs of a Markdown page, without its inline code and the targets of its links. */
export function readMarkdown(source: string): Passage[] {
  const passages: Passage[] = [];
  let line = 1;
  for (const part of source.split(/(\n\s*\n)/)) {
    const text = withoutCode(part).replaceAll(/(?<=\])\([^)]*\)/g, toBlanks);
    if (text.trim() !== "") passages.push({ kind: "prose", line, text });
    line += part.match(/\n/g)?.length ?? 0;
  }
  return passages;
}

/** `endAllOf`, `END_ALL_OF` and `end-all-of` as "end all of". */
export function toWords(name: string): string {
  return name
    .replaceAll(/[_$#-]+/g, " ")
    .replaceAll(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, " ")
    .trim()
    .toLowerCase();
}

function withoutStars(comment: string): string {
  return comment
    .replace(/^\/\*+/, "")
    .replace(/\*+\/$/, "")
    .replaceAll(/\n[ \t]*\*/g, "\n");
}

/** Blanks what inline code holds and leaves its quotes: "`null` where" remains recognizable. */
function withoutCode(text: string): string {
  return text.replaceAll(/(?<!`)`[^`\n]+`(?!`)/g, (code) => `\`${toBlanks(code.slice(1, -1))}\``);
}

function toBlanks(text: string): string {
  return text.replaceAll(/[^\n]/g, "_");
}
