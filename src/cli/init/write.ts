import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { toErrorCode } from "../../core/errors.ts";

/** What became of a file. */
export interface Written {
  readonly path: string;
  /** `kept`: the file existed with another content, and was not changed. */
  readonly result: "created" | "completed" | "unchanged" | "kept";
}

/** Writes a file, unless it exists. */
export function writeNew(directory: string, path: string, content: string): Written {
  const file = join(directory, path);
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeFileSync(file, content, { flag: "wx" });
    return { path, result: "created" };
  } catch (error) {
    if (toErrorCode(error) !== "EEXIST") throw error;
    return { path, result: readFileSync(file, "utf8") === content ? "unchanged" : "kept" };
  }
}

/** Writes lines at the end of a file, unless it has them. Creates the file if it is missing, with `mode`. */
export function addLines(
  directory: string,
  path: string,
  lines: readonly string[],
  hasLine: (text: string, line: string) => boolean,
  mode = 0o666,
): Written {
  const file = join(directory, path);
  const isNew = !existsSync(file);
  const text = isNew ? "" : readFileSync(file, "utf8");
  const missing = lines.filter((line) => !hasLine(text, line));
  if (missing.length === 0) return { path, result: "unchanged" };
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  writeFileSync(file, `${separator}${missing.join("\n")}\n`, { flag: "a", mode });
  return { path, result: isNew ? "created" : "completed" };
}
