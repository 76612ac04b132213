import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import type { ProofRun } from "./runs.ts";

/** How a run ended. */
export interface ProofResult {
  /** False also if the run printed none of its figures. */
  readonly isPassed: boolean;
  readonly seconds: number;
  readonly figures: readonly string[];
}

/** Milliseconds of silence after which a line says that the run is still under way. */
const silence = 60_000;

/** Runs a command in `root`, prints its output line by line, and finds the figures in it. */
export async function execute(
  root: string,
  { command: [program, ...args], env = {}, toFigures }: Pick<ProofRun, "command" | "env" | "toFigures">,
  print: (line: string) => void,
): Promise<ProofResult> {
  const startedAt = performance.now();
  const toSeconds = () => (performance.now() - startedAt) / 1_000;
  const path = program === "node" ? process.execPath : join(root, "node_modules/.bin", program);
  const child = spawn(path, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const heartbeat = setInterval(() => print(`… still running after ${toDuration(toSeconds())}`), silence);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on("line", (line) => {
      heartbeat.refresh();
      lines.push(stripVTControlCharacters(line));
      print(line);
    });
  }
  const [code] = await once(child, "close");
  clearInterval(heartbeat);
  const figures = toFigures(lines);
  return { isPassed: code === 0 && figures.length > 0, seconds: toSeconds(), figures };
}

/** Returns "42 s" or "3 min". */
export function toDuration(seconds: number): string {
  return seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
