/** Checks the links of the built site: each must lead to a file, and each anchor to an element. */
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { base } from "./base.ts";

/** What a check found. Each problem names the page, the link, and what is missing. */
export interface LinkReport {
  readonly pages: number;
  readonly links: number;
  readonly problems: readonly string[];
}

/** Checks every `href` and `src` of the HTML files in a folder that leads to the same site. */
export function checkLinks(folder: string): LinkReport {
  const pages = globSync("**/*.html", { cwd: folder }).sort();
  const ids = new Map(pages.map((page) => [page, readIds(join(folder, page))]));
  const problems: string[] = [];
  let links = 0;
  for (const page of pages) {
    for (const link of readLinks(join(folder, page))) {
      links++;
      const problem = findProblem(folder, ids, page, link);
      if (problem !== undefined) problems.push(`${page}: ${link}: ${problem}`);
    }
  }
  return { pages: pages.length, links, problems };
}

function readLinks(path: string): Set<string> {
  const matches = readFileSync(path, "utf8").matchAll(/\s(?:href|src)="([^"]+)"/g);
  const links = Array.from(matches, ([, link = ""]) => link.replaceAll("&amp;", "&"));
  const internal = links.filter((link) => !/^(?:[a-z]+:|\/\/)/i.test(link));
  return new Set(internal.map((link) => (link.startsWith(base) ? `/${link.slice(base.length)}` : link)));
}

function readIds(path: string): Set<string> {
  return new Set(Array.from(readFileSync(path, "utf8").matchAll(/\sid="([^"]+)"/g), ([, id = ""]) => id));
}

function findProblem(
  folder: string,
  ids: ReadonlyMap<string, ReadonlySet<string>>,
  page: string,
  link: string,
): string | undefined {
  const [path = "", anchor = ""] = link.split("#");
  const target = path === "" ? page : findFile(folder, posix.join("/", posix.dirname(page), toAbsolute(path, page)));
  if (target === undefined) return "no such page";
  if (anchor === "" || ids.get(target)?.has(decodeURIComponent(anchor)) !== false) return undefined;
  return "no such anchor";
}

/** `posix.join` keeps the folder of the page in front of an absolute path, so that one has to climb out of it first. */
function toAbsolute(path: string, page: string): string {
  return path.startsWith("/")
    ? posix.join(posix.relative(posix.join("/", posix.dirname(page)), "/") || ".", path)
    : path;
}

function findFile(folder: string, path: string): string | undefined {
  const clean = decodeURIComponent(path).replace(/^\//, "").split("?")[0] ?? "";
  const candidates = [clean, `${clean}.html`, posix.join(clean, "index.html")];
  return candidates.find(
    (name) => name !== "" && existsSync(join(folder, name)) && statSync(join(folder, name)).isFile(),
  );
}
