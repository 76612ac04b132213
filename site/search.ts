/** Configures the site's search, and checks that it finds what people look for. */
import { globSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import MiniSearch, { type Options, type SearchOptions } from "minisearch";
import { keywords } from "./keywords.ts";
import { questions } from "./questions.ts";

/** One entry of the index: a section of a page. The first section of a page has no `titles` above it. */
interface Section {
  readonly id: string;
  readonly title: string;
  readonly titles: readonly string[];
  readonly text: string;
}

/** How many results, or pages of the results, people look at. */
const lookedAt = 3;

/** The index has one more field than VitePress gives it: the keywords of a page or section. Browsers don't call `extractField`. */
const options: Options<Section> = {
  fields: ["title", "titles", "text", "keywords"],
  storeFields: ["title", "titles"],
  extractField: (section, field) => {
    if (field !== "keywords") return section[field as keyof Section];
    const ofPage = section.titles.length === 0 ? (keywords[toPage(section.id)] ?? "") : "";
    return `${ofPage} ${keywords[section.id] ?? ""}`;
  },
};

/** Prefers keywords and titles to text, and pages of the guide to the long references. */
const searchOptions: SearchOptions = {
  fuzzy: (term: string) => (term.length > 4 ? 0.2 : false),
  prefix: (term: string) => term.length > 2,
  boost: { keywords: 6, title: 4, text: 1, titles: 1 },
  // Browsers run this too, so it uses nothing from outside.
  processTerm: (term: string) => {
    const word = term.toLowerCase();
    const isCommon =
      /^(?:an?|the|is|are|am|be|do|does|did|i|my|me|we|our|it|its|in|on|of|to|for|from|with|and|or|how|what|when|why|can|should|that|this)$/;
    return isCommon.test(word) ? null : word;
  },
  boostDocument: (id: string) =>
    /^\/(?:api\/|changelog|decisions\/|postmortems\/|asvs|architecture)/.test(id) ? 0.3 : 1,
};

/** The part of VitePress's configuration that is about the search. */
export const miniSearch = { options: options as object, searchOptions: searchOptions as object };

function toPage(id: string): string {
  return id.split("#")[0] ?? "";
}

/** Tries each question with the index of the built site. Returns how many there are, and what isn't found. */
export async function checkSearch(
  folder: string,
): Promise<{ readonly count: number; readonly problems: readonly string[] }> {
  const [file = ""] = globSync("assets/chunks/@localSearchIndexroot.*.js", { cwd: folder });
  const { default: json }: { readonly default: string } = await import(pathToFileURL(join(folder, file)).href);
  const index = MiniSearch.loadJSON<Section>(json, { ...options, searchOptions });
  const ids = new Set<string>(Object.values(JSON.parse(json).documentIds));
  const pages = new Set([...ids].map(toPage));
  const misplaced = Object.keys(keywords)
    .filter((address) => !(address.includes("#") ? ids : pages).has(address))
    .map((address) => `keywords.ts: ${address}: no such section`);
  const missed = Object.entries(questions).flatMap(([question, wanted]) => {
    const sections = index.search(question).map(({ id }) => `${id}`);
    const found = [...new Set(sections.map(toPage))].slice(0, lookedAt).concat(sections.slice(0, lookedAt));
    return found.some((address) => wanted.includes(address))
      ? []
      : [`questions.ts: "${question}" finds ${found.join(", ")}`];
  });
  return { count: Object.keys(questions).length, problems: [...misplaced, ...missed] };
}
