/** A server in a process of its own: `serve.ts FRAMEWORK NAME`. Tells its port, and on every message its time on the CPU. */
import { loadStarts } from "./frameworks.ts";

const [, , framework = "", name = ""] = process.argv;
const start = (await loadStarts(framework))[name];
if (start === undefined) throw new Error(`there is no server ${framework} ${name}`);
process.on("message", () => process.send?.(process.cpuUsage()));
process.on("disconnect", () => process.exit());
process.send?.(await start());
