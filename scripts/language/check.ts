import { basename } from "node:path";
import { type Passage, readMarkdown, readTypeScript, toWords } from "./read-text.ts";
import { quotedTexts, rules } from "./rules.ts";

/** A use of a banned word. */
export interface LanguageFinding {
  readonly line: number;
  /** The banned text as it was found, or what is wrong with an exception. */
  readonly found: string;
  /** What to write instead. */
  readonly use: string;
}

interface Exception {
  readonly line: number;
  readonly word: string;
}

/**
 * Returns the banned words of a TypeScript file, a Markdown page or a CLI script, in the order of the lines.
 *
 * A comment `language-allow "word": reason` excepts this word on its own line, and in the comment, string or paragraph that
 * begins there or on the next line. An exception that excepts nothing, or gives no reason, is itself a finding.
 */
export function checkLanguage(path: string, source: string): LanguageFinding[] {
  const exceptions = readExceptions(source);
  const used = new Set<Exception>();
  const findings = readPassages(path, source).flatMap((passage) =>
    checkPassage(passage).filter(({ line, found }) => {
      const exception = exceptions.find(
        (one) => found.toLowerCase().includes(one.word) && [line, passage.line, passage.line - 1].includes(one.line),
      );
      if (exception !== undefined) used.add(exception);
      return exception === undefined;
    }),
  );
  const unused = exceptions
    .filter((one) => !used.has(one))
    .map(({ line, word }) => ({ line, found: `language-allow "${word}"`, use: "nothing: it excepts no banned word" }));
  return [...findings, ...unused].sort((a, b) => a.line - b.line);
}

function readPassages(path: string, source: string): Passage[] {
  const text = source.replaceAll(/language-allow "[^"\n]*":/g, (exception) => " ".repeat(exception.length));
  if (!/\.tsx?$/.test(path)) return readMarkdown(text);
  const name: Passage = { kind: "identifier", line: 1, text: toWords(basename(path).replace(/\.tsx?$/, "")) };
  return [name, ...readTypeScript(text, { jsx: path.endsWith("x") })];
}

function readExceptions(source: string): Exception[] {
  return source.split("\n").flatMap((text, index) =>
    [...text.matchAll(/language-allow "([^"]+)": *\w[^"]{7,}/g)].map(([, word = ""]) => ({
      line: index + 1,
      word: word.toLowerCase(),
    })),
  );
}

function checkPassage({ kind, line, text }: Passage): LanguageFinding[] {
  const sourceLines = text.split("\n").map((sourceLine) => sourceLine.trim());
  const oneLine = sourceLines.join(" ");
  const ours = quotedTexts.reduce(
    (rest, quoted) => rest.replaceAll(quoted, (match) => "_".repeat(match.length)),
    oneLine,
  );
  return rules
    .filter(({ kinds }) => kinds === undefined || kinds.includes(kind))
    .flatMap(({ banned, use }) =>
      [...ours.matchAll(new RegExp(banned, `${banned.flags}g`))].map(({ 0: found, index }) => ({
        line: line + countLineEnds(sourceLines, index),
        found: found.trim(),
        use,
      })),
    );
}

/** How many of the joined lines end before the character at `index`. */
function countLineEnds(lines: readonly string[], index: number): number {
  let end = -1;
  return lines.findIndex((sourceLine) => {
    end += sourceLine.length + 1;
    return index <= end;
  });
}
