/**
 * Builds the site to `site/dist/`, from the Markdown of the repository and the declarations in `dist/`, and checks its links.
 *
 * Usage: node site/build.ts, after `npm run build` in the root and `npm ci` in site/.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "vitepress";
import { checkLinks } from "./check-links.ts";
import { guide } from "./guide.ts";
import { writeLibraryReference } from "./library-reference.ts";
import { stage, staged, toAddress } from "./stage.ts";

const output = join(import.meta.dirname, "dist");

const files = stage();
await writeLibraryReference(join(staged, "api"));
await build(import.meta.dirname);
writeTextForAgents();
const { pages, links, problems } = checkLinks(output);
for (const problem of problems) console.error(problem);
console.log(`site: ${pages} pages, ${links} internal links, ${problems.length} of them broken`);
if (problems.length > 0) process.exitCode = 1;

/** Adds each page as Markdown, `llms.txt`, and `llms-full.txt`, which has the whole guide in one file. */
function writeTextForAgents(): void {
  for (const file of files.values()) {
    const target = join(output, relative(staged, file));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
  }
  const index = readFileSync(join(import.meta.dirname, "../llms.txt"), "utf8");
  const withAddresses = index.replaceAll(/\]\(([^)]+\.md)\)/g, (_, path: string) => {
    const address = toAddress(path);
    return `](${address.endsWith("/") ? `${address}index` : address}.md)`;
  });
  writeFileSync(join(output, "llms.txt"), withAddresses);
  const paths = guide.filter(({ isCollapsed }) => !isCollapsed).flatMap(({ pages }) => pages.map(([path]) => path));
  const texts = paths.map((path) => readFileSync(files.get(toAddress(path)) ?? "", "utf8"));
  writeFileSync(join(output, "llms-full.txt"), texts.join("\n\n---\n\n"));
}
