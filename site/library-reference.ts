/** Writes the reference of the library: one page for each entry point, from the declarations in `dist/`. */
import { existsSync, globSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { Application } from "typedoc";
import { load } from "typedoc-plugin-markdown";

const root = join(import.meta.dirname, "..");

/** Returns the files of the entry points in dist/, by their names, such as "tokenpair/express". */
function listEntryPoints(): ReadonlyMap<string, string> {
  const { exports }: { readonly exports: Record<string, string> } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const entries = Object.entries(exports).filter(([, path]) => path.endsWith(".js"));
  return new Map(entries.map(([name, path]) => [posix.join("tokenpair", name), posix.relative("dist", path)]));
}

/**
 * Writes the pages to `folder`.
 *
 * @throws Error if the declarations don't compile or can't be converted.
 */
export async function writeLibraryReference(folder: string): Promise<void> {
  const entries = listEntryPoints();
  const options: Record<string, unknown> = {
    plugin: [load],
    entryPoints: [...entries.values()].map((path) => join(root, "dist", path.replace(/\.js$/, ".d.ts"))),
    tsconfig: join(import.meta.dirname, "tsconfig.json"),
    basePath: join(root, "dist"),
    name: "API",
    readme: "none",
    disableSources: true,
    excludePrivate: true,
    excludeInternal: true,
    skipErrorChecking: true,
    logLevel: "Error",
    router: "module",
    entryFileName: "index",
    hidePageHeader: true,
    hideBreadcrumbs: true,
    useCodeBlocks: true,
    useHTMLAnchors: true,
    parametersFormat: "table",
    interfacePropertiesFormat: "table",
    typeDeclarationFormat: "table",
    enumMembersFormat: "table",
    sanitizeComments: true,
  };
  const application = await Application.bootstrapWithPlugins(options);
  const project = await application.convert();
  if (project === undefined) throw new Error("typedoc could not convert the declarations");
  const names = new Map([...entries].map(([name, path]) => [path.replace(/(?:\/index)?\.js$/, ""), name]));
  for (const module of project.children ?? []) module.name = names.get(module.name) ?? module.name;
  await application.outputs.writeOutput({ name: "markdown", path: folder }, project);
  movePagesIntoFolders(folder);
}

/**
 * Moves each page that has a folder of the same name into it, as `index.md`: static hosts answer `/api/tokenpair` with the folder
 * `api/tokenpair/`, and not with the file `api/tokenpair.html`.
 */
function movePagesIntoFolders(folder: string): void {
  const pages = globSync("**/*.md", { cwd: folder });
  const toTarget = (page: string): string => {
    const name = page.replace(/\.md$/, "");
    return existsSync(join(folder, name)) ? `${name}/index.md` : page;
  };
  for (const page of pages) {
    const text = readFileSync(join(folder, page), "utf8");
    const moved = text.replaceAll(/\]\((?!https?:|#|\/)([^)#\s]+\.md)/g, (_, link: string) => {
      const target = toTarget(posix.join(dirname(page), link));
      return `](${posix.relative(dirname(toTarget(page)), target)}`;
    });
    writeFileSync(join(folder, page), moved);
  }
  for (const page of pages) if (toTarget(page) !== page) renameSync(join(folder, page), join(folder, toTarget(page)));
}
