/** Copies the Markdown of the repository to `site/.pages/`, which VitePress reads, with links that work there. */
import { copyFileSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";

const root = join(import.meta.dirname, "..");
const source = "https://github.com/tokenpair/tokenpair/tree/main/";
/** The folder that VitePress reads. */
export const staged = join(import.meta.dirname, ".pages");

/** Returns the paths of the pages, from the root of the repository. */
export function listPages(): string[] {
  const rootPages = ["README.md", "SECURITY.md", "CHANGELOG.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
  return [...rootPages, ...globSync("docs/**/*.md", { cwd: root }).map((path) => path.replaceAll("\\", "/"))];
}

/** Returns the address of a page of the repository in the site, without its extension, such as `/keys`. */
export function toAddress(path: string): string {
  if (path === "README.md") return "/overview";
  const inDocs = path.startsWith("docs/") ? path.slice("docs/".length) : path.toLowerCase();
  return `/${inDocs.replace(/(^|\/)README\.md$/, "$1").replace(/\.md$/, "")}`;
}

/** Writes every page. Returns their staged files, by address. */
export function stage(): ReadonlyMap<string, string> {
  rmSync(staged, { recursive: true, force: true });
  const pages = new Set(listPages());
  const files = new Map<string, string>();
  for (const page of pages) {
    const address = toAddress(page);
    const file = join(staged, address.endsWith("/") ? `${address}index.md` : `${address}.md`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, withSiteLinks(readFileSync(join(root, page), "utf8"), page, pages));
    files.set(address, file);
  }
  copyFileSync(join(import.meta.dirname, "home.md"), join(staged, "index.md"));
  cpSync(join(root, "docs/images"), join(staged, "public/images"), { recursive: true });
  copyFileSync(join(root, "src/page/icon.svg"), join(staged, "public/icon.svg"));
  return files;
}

/** Links to pages lead to their addresses in the site, and links to other files to the repository. */
function withSiteLinks(text: string, page: string, pages: ReadonlySet<string>): string {
  const parts = text.split(/(^```.*?^```$)/ms);
  return parts.map((part, index) => (index % 2 === 1 ? part : replaceLinks(part, page, pages))).join("");
}

function replaceLinks(text: string, page: string, pages: ReadonlySet<string>): string {
  const replace = (link: string, anchor = ""): string => {
    const path = posix.join(posix.dirname(page), link).replace(/\/$/, "");
    if (pages.has(path)) return `${toAddress(path)}${anchor}`;
    if (path.startsWith("docs/images/")) return `/${path.slice("docs/".length)}`;
    if (!existsSync(join(root, path))) throw new Error(`${page} links to ${link}, which doesn't exist`);
    return `${source}${path}${anchor}`;
  };
  return text
    .replaceAll(
      /\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)]*)?\)/g,
      (_, link: string, anchor) => `](${replace(link, anchor)})`,
    )
    .replaceAll(
      / (src|srcset|href)="(?!https?:|mailto:|#|\/)([^"#]+)(#[^"]*)?"/g,
      (_, attribute: string, link: string, anchor) => ` ${attribute}="${replace(link, anchor)}"`,
    );
}
