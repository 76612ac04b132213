/**
 * Builds the site to `site/dist/`, from the Markdown of the repository and the declarations in `dist/`, and checks its links.
 *
 * Usage: node site/build.ts [--dev], after `npm run build` in the root and `npm ci` in site/. With `--dev`, it starts a server instead,
 * which shows changes of the theme; for changes of the pages, start it again.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build, createServer } from "vitepress";
import { base } from "./base.ts";
import { checkLinks } from "./check-links.ts";
import { guide } from "./guide.ts";
import { writeLibraryReference } from "./library-reference.ts";
import { checkSearch } from "./search.ts";
import { stage, staged, toAddress } from "./stage.ts";

const output = join(import.meta.dirname, "dist");

const files = stage();
await writeLibraryReference(join(staged, "api"));
if (process.argv.includes("--dev")) {
  const server = await createServer(import.meta.dirname);
  await server.listen();
  server.printUrls();
} else {
  await build(import.meta.dirname);
  writeTextForAgents();
  await check();
}

async function check(): Promise<void> {
  const { pages, links, problems } = checkLinks(output);
  const search = await checkSearch(output);
  for (const problem of [...problems, ...search.problems]) console.error(problem);
  console.log(`site: ${pages} pages, ${links} internal links, ${problems.length} of them broken`);
  console.log(`site: ${search.count} searches, ${search.problems.length} problems`);
  if (problems.length + search.problems.length > 0) process.exitCode = 1;
}

/** Adds each page as Markdown, `llms.txt`, and `llms-full.txt`, which has the whole guide in one file. */
function writeTextForAgents(): void {
  for (const file of files.values()) {
    const target = join(output, relative(staged, file));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, readForAgents(file));
  }
  const index = readFileSync(join(import.meta.dirname, "../llms.txt"), "utf8");
  writeFileSync(
    join(output, "llms.txt"),
    index.replaceAll(/\]\(([^)]+\.md)\)/g, (_, path: string) => `](${toMarkdownAddress(toAddress(path))})`),
  );
  const paths = guide.filter(({ isCollapsed }) => !isCollapsed).flatMap(({ pages }) => pages.map(([path]) => path));
  const texts = paths.map((path) => readForAgents(files.get(toAddress(path)) ?? ""));
  writeFileSync(join(output, "llms-full.txt"), texts.join("\n\n---\n\n"));
}

/** Returns a page whose links lead to Markdown too. */
function readForAgents(file: string): string {
  return readFileSync(file, "utf8").replaceAll(/\]\((\/[^)#\s]*)/g, (link, address: string) =>
    files.has(address) ? `](${toMarkdownAddress(address)}` : link,
  );
}

function toMarkdownAddress(address: string): string {
  return `${base}${address.slice(1)}${address.endsWith("/") ? "index" : ""}.md`;
}
