/** Writes the reference of the library: one page for each entry point, from the declarations in `dist/`. */
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
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
}
