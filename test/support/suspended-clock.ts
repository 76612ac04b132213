/**
 * Lets the monotonic clock of a process stand still while the machine is suspended, as Linux does; the wall clock goes on. The
 * test stops the process and, before it continues it, writes to the file `SUSPENDED_FILE` for how many milliseconds the process
 * was suspended in all. Load it before the program, with `--import`.
 */
import { readFileSync } from "node:fs";

const file = process.env["SUSPENDED_FILE"] ?? "";
const genuine = performance.now.bind(performance);

performance.now = () => genuine() - Number(readFileSync(file, "utf8"));
