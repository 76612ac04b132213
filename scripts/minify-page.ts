/** Minifies the script of the page that refreshes, in dist: see src/http/resume/page-source.ts. Does nothing the second time. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";

const path = join(import.meta.dirname, "../dist/http/resume/page-source.js");
const compiled = readFileSync(path, "utf8");
const { pageSource } = await import(path);
const { code } = transformSync(pageSource, { minify: true, target: "es2022", legalComments: "none" });
const [before = ""] = compiled.split("export const", 1);
writeFileSync(path, `${before}export const pageSource = ${JSON.stringify(code.trim())};\n`);
