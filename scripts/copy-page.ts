/** Puts the files of the page that need no compiling beside those that do. */
import { copyFileSync, mkdirSync } from "node:fs";

const source = new URL("../src/page/", import.meta.url);
const target = new URL("../dist/page/", import.meta.url);

mkdirSync(target, { recursive: true });
for (const name of ["index.html", "tokens.css", "page.css", "demo.css", "icon.svg"])
  copyFileSync(new URL(name, source), new URL(name, target));
