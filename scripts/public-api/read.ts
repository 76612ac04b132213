import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isModuleBlock, isModuleDeclaration, type Node, type SourceFile } from "typescript/unstable/ast";
import { API, type Symbol as CompilerSymbol, type Project, SymbolFlags } from "typescript/unstable/sync";
import { type Description, describeDeclaration, listTypeNames } from "./describe.ts";

/** One exported name. */
export interface Declaration extends Description {
  readonly name: string;
  /** The source file, such as `src/auth.ts`. */
  readonly file: string;
}

/** A type that an exported signature names but no entry exports. */
export interface UnexportedType extends Declaration {
  /** The declaration that names it. */
  readonly usedBy: string;
}

/** Everything that a user of the package can import. */
export interface PublicApi {
  /** By import specifier, such as `tokenpair/sqlite`. */
  readonly entries: ReadonlyMap<string, readonly Declaration[]>;
  readonly unexported: readonly UnexportedType[];
}

/** A declaration whose type names are yet to be followed. */
interface Reached {
  readonly name: string;
  readonly nodes: readonly Node[];
}

/**
 * Reads the built `.d.ts` file of every entry in `exports` of `root`'s package.json, and follows re-exports. Uses the parser and
 * checker of TypeScript 7, whose API is `typescript/unstable`: an update of TypeScript may rename parts of it.
 *
 * @throws Error if the package is not built.
 */
export function readPublicApi(root: string): PublicApi {
  const files = listEntryFiles(root);
  // One project for all entries, in a file that only the compiler sees, so that a type has the same symbol in each entry.
  const config = join(root, "tsconfig.public-api.json");
  const compilerOptions = { module: "nodenext", target: "es2023", lib: ["es2023", "dom"], types: ["node"] };
  const text = JSON.stringify({ compilerOptions, files: [...files.values()] });
  const api = new API({
    cwd: root,
    fs: {
      readFile: (path) => (path === config ? text : undefined),
      fileExists: (path) => (path === config ? true : undefined),
    },
  });
  try {
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config);
    if (project === undefined) throw new Error("the compiler did not open the project");
    return readEntries(project, root, files);
  } finally {
    api.close();
  }
}

/** Returns the absolute path of each entry's `.d.ts` file, by import specifier. */
function listEntryFiles(root: string): ReadonlyMap<string, string> {
  const manifest: { readonly name: string; readonly exports: Readonly<Record<string, unknown>> } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const entries = Object.entries(manifest.exports).filter(([path]) => path !== "./package.json");
  return new Map(
    entries.map(([path, target]) => {
      if (typeof target !== "string" || !target.endsWith(".js")) {
        throw new Error(`package.json exports ${path} as ${JSON.stringify(target)}; this script reads only .js files`);
      }
      return [path.replace(".", manifest.name), join(root, target.replace(/\.js$/, ".d.ts"))];
    }),
  );
}

function readEntries(project: Project, root: string, files: ReadonlyMap<string, string>): PublicApi {
  const { checker, program } = project;
  const exported = new Set<number>();
  const reached: Reached[] = [];

  function toDeclaration(name: string, nodes: readonly Node[], file: string): Declaration {
    const descriptions = nodes.map((node) => describeDeclaration(name, node));
    return {
      name,
      file: toSourceFile(file, root),
      signatures: descriptions.flatMap(({ signatures }) => signatures),
      undocumented: [...new Set(descriptions.flatMap(({ undocumented }) => undocumented))],
    };
  }

  function readEntry(path: string): Declaration[] {
    const source = program.getSourceFile(path);
    const module = source && checker.getSymbolAtLocation(source);
    if (source === undefined || module === undefined) throw new Error(`${path} is missing: run npm run build`);
    const declarations = checker.getExportsOfModule(module).map((one) => {
      const symbol = toOrigin(one);
      const nodes = toNodes(symbol);
      exported.add(symbol.id);
      reached.push({ name: one.name, nodes });
      return toDeclaration(one.name, nodes, symbol.declarations[0]?.path ?? path);
    });
    const augmentations = listAugmentations(source).map(([name, node]) => {
      reached.push({ name, nodes: [node] });
      const declaration = toDeclaration(name, [node], path);
      // The extended interface has its docstring in the other package.
      return { ...declaration, undocumented: declaration.undocumented.filter((one) => one !== name) };
    });
    return [...declarations, ...augmentations];
  }

  function toOrigin(symbol: CompilerSymbol): CompilerSymbol {
    return symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  }

  function toNodes(symbol: CompilerSymbol): readonly Node[] {
    return symbol.declarations.flatMap((handle) => handle.resolve(project) ?? []);
  }

  /** Returns whether this package declares the symbol, outside of any signature. */
  function isOwn({ flags, declarations }: CompilerSymbol): boolean {
    const isLocal = flags & (SymbolFlags.TypeParameter | SymbolFlags.FunctionScopedVariable);
    const dist = join(root, "dist/").toLowerCase();
    return !isLocal && declarations.length > 0 && declarations.every(({ path }) => path.toLowerCase().startsWith(dist));
  }

  function listUnexported(): UnexportedType[] {
    const seen = new Set<number>(exported);
    const found: UnexportedType[] = [];
    // The list grows while it is read, because an unexported type names others.
    for (const { name: usedBy, nodes } of reached) {
      for (const typeName of nodes.flatMap(listTypeNames)) {
        const symbol = checker.getSymbolAtLocation(typeName);
        const origin = symbol && toOrigin(symbol);
        if (origin === undefined || seen.has(origin.id) || !isOwn(origin)) continue;
        seen.add(origin.id);
        const type = { name: origin.name, nodes: toNodes(origin) };
        reached.push(type);
        found.push({ ...toDeclaration(type.name, type.nodes, origin.declarations[0]?.path ?? ""), usedBy });
      }
    }
    return found;
  }

  const entries = new Map([...files].map(([specifier, path]) => [specifier, readEntry(path)]));
  return { entries, unexported: listUnexported() };
}

function toSourceFile(path: string, root: string): string {
  return path.replace(`${join(root, "dist")}/`, "src/").replace(/\.d\.ts$/, ".ts");
}

/** Returns what an entry adds to the types of other packages, such as `fastify.FastifyRequest`. */
function listAugmentations(source: SourceFile): [name: string, node: Node][] {
  const within = (statement: Node, path: string): [string, Node][] => {
    if (!isModuleDeclaration(statement)) {
      const { name } = statement as Node & { readonly name?: Node };
      return name === undefined ? [] : [[`${path}${name.getText()}`, statement]];
    }
    const { name, body } = statement;
    const inner = body !== undefined && isModuleBlock(body) ? [...body.statements] : body === undefined ? [] : [body];
    return inner.flatMap((one) => within(one, `${path}${name.getText().replaceAll('"', "")}.`));
  };
  return source.statements.filter(isModuleDeclaration).flatMap((statement) => within(statement, ""));
}
