/** Writes docs/http-api.md from the OpenAPI document. Run by `npm run docs`. */
import { writeFileSync } from "node:fs";
import { toSlug } from "../../site/slug.ts";
import { createAuth } from "../../src/create-auth.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";

const preamble = `# HTTP API

Generated from the OpenAPI document by \`npm run docs\`, with the default settings. Your server returns its own document at
\`/api/schema/\`, from which you can generate a client. Every path also works without its trailing slash.

A request is authenticated in one of these ways:

| way | what the request has |
|---|---|
| \`bearer\` | \`Authorization: Bearer\` and the access token |
| \`cookie\` | the access cookie; unsafe methods also need the CSRF header ([Cookies and CSRF](browser.md)) |
| \`refreshCookie\` | the refresh cookie and the CSRF header |
| \`serviceBasic\` | HTTP Basic with a service's name and credential ([Other services](services.md)) |
| \`serviceBearer\` | \`Authorization: Bearer\` and a service's credential |
`;

interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly const?: unknown;
}
type Content = Readonly<Record<string, { readonly schema?: Schema }>>;
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

/** One row of a table: the cells, joined. */
type Row = string;

/** The parts of an endpoint's section, before the rows that many endpoints share are taken out. */
interface Section {
  readonly title: string;
  readonly summary: string;
  readonly description: string;
  readonly facts: string;
  readonly parameters: readonly Row[];
  readonly responses: readonly Row[];
}

/** Rows that at least this many endpoints have in common are printed once. */
const sharedBy = 5;

/** Returns the whole page. */
export async function toHttpReference(): Promise<string> {
  const store = sqliteStore(":memory:");
  await store.migrate();
  const auth = createAuth({ store, signingKey: "a key of the reference, which signs nothing" });
  try {
    await auth.ready();
    const response = await auth.fetch(new Request("http://localhost/api/schema/"));
    const { paths }: { readonly paths: Record<string, Record<string, Operation>> } = JSON.parse(await response.text());
    const sections = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => toSection(`${method.toUpperCase()} ${path}`, operation)),
    );
    return toPage(sections);
  } finally {
    await auth.close();
  }
}

function toPage(sections: readonly Section[]): string {
  const parameters = findShared(sections.map((section) => section.parameters));
  const responses = findShared(sections.map((section) => section.responses));
  const index = sections.map(({ title, summary }) => `| [${title}](#${toSlug(title)}) | ${toCell(summary)} |\n`);
  return [
    preamble,
    `## Endpoints\n\n| endpoint | what it does |\n|---|---|\n${index.join("")}`,
    `## Shared parameters and responses

Many endpoints have these parameters and responses. Each endpoint below names those that it has. \`detail\` is a sentence for people, and \`code\` is for programs.

| parameter | where | meaning |
|---|---|---|
${[...parameters].join("")}
| status | meaning | fields |
|---|---|---|
${[...responses].sort().join("")}`,
    ...sections.map((section) => toText(section, parameters, responses)),
  ].join("\n");
}

/** Returns the rows that many endpoints have. Of two such rows with the same first cell, only the more frequent one. */
function findShared(tables: readonly (readonly Row[])[]): ReadonlySet<Row> {
  const counts = new Map<Row, number>();
  for (const row of tables.flat()) counts.set(row, (counts.get(row) ?? 0) + 1);
  const frequent = [...counts].filter(([, count]) => count >= sharedBy).sort(([, a], [, b]) => a - b);
  return new Set(new Map(frequent.map(([row]) => [toName(row), row])).values());
}

function toName(row: Row): string {
  return row.split(" | ")[0]?.slice(2) ?? "";
}

function toSection(title: string, operation: Operation): Section {
  const {
    summary,
    description = "",
    operationId,
    tags = [],
    security,
    parameters = [],
    requestBody,
    responses,
  } = operation;
  const ways = security.flatMap(Object.keys).map((name) => `\`${name}\``);
  const facts = [
    `Operation \`${operationId}\`.`,
    ways.length > 0 ? `Authenticated by ${ways.join(" or ")}.` : "Needs no authentication.",
    ...(tags.length > 0 ? [`Only in \`${tags.join(", ")}\`, not in the library.`] : []),
  ];
  const rows = [
    ...parameters.map(({ name, in: place, required, description = "", schema = {} }) => [
      name,
      place,
      required === true,
      withValues(description, schema),
    ]),
    ...toBodyRows(requestBody?.content ?? {}),
  ].map(
    ([name, place, isRequired, text]) =>
      `| \`${name}\` | ${place}${isRequired ? ", required" : ""} | ${toCell(`${text}`)} |\n`,
  );
  const results = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const fields = Object.keys(Object.values(content)[0]?.schema?.properties ?? {}).map((name) => `\`${name}\``);
    return `| ${status} | ${toCell(description)} | ${fields.join(", ")} |\n`;
  });
  return { title, summary, description, facts: facts.join(" "), parameters: rows, responses: results };
}

function toText(section: Section, sharedParameters: ReadonlySet<Row>, sharedResponses: ReadonlySet<Row>): string {
  const { title, summary, description, facts } = section;
  const own = {
    parameters: section.parameters.filter((row) => !sharedParameters.has(row)),
    responses: section.responses.filter((row) => !sharedResponses.has(row)),
  };
  const shared = [
    ...section.parameters.filter((row) => sharedParameters.has(row)),
    ...section.responses.filter((row) => sharedResponses.has(row)),
  ].map(toName);
  return [
    `## ${title}\n\n${summary} ${facts}\n`,
    ...(description === "" ? [] : [`${description}\n`]),
    ...(own.parameters.length > 0
      ? [`| parameter | where | meaning |\n|---|---|---|\n${own.parameters.join("")}`]
      : []),
    ...(own.responses.length > 0 ? [`| status | meaning | fields |\n|---|---|---|\n${own.responses.join("")}`] : []),
    ...(shared.length > 0 ? [`[Shared](#shared-parameters-and-responses): ${shared.join(", ")}.\n`] : []),
  ].join("\n");
}

function toBodyRows(content: Content): [string, string, boolean, string][] {
  const { properties = {}, required = [] } = Object.values(content)[0]?.schema ?? {};
  return Object.entries(properties).map(([name, schema]) => [
    name,
    "body",
    required.includes(name),
    withValues(schema.description ?? "", schema),
  ]);
}

/** Returns the description, and the values that a field or parameter can have if they are few. */
function withValues(description: string, schema: Schema): string {
  if (schema.enum === undefined) return description;
  const values = schema.enum.map((value) => (value === schema.default ? `\`${value}\` (the default)` : `\`${value}\``));
  return `${description} One of: ${values.join(", ")}.`;
}

function toCell(text: string): string {
  return text
    .replaceAll("|", "\\|")
    .replaceAll("<", "\\<")
    .replaceAll(/\s*\n\s*/g, " ");
}

if (import.meta.main) writeFileSync(new URL("../../docs/http-api.md", import.meta.url), await toHttpReference());
