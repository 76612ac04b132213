import { type DefaultTheme, defineConfig, type PageData } from "vitepress";
import { base } from "../base.ts";
import { guide } from "../guide.ts";
import { miniSearch } from "../search.ts";
import { toSlug } from "../slug.ts";
import { listPages, toAddress } from "../stage.ts";
import { toLabel, versions } from "../versions.ts";

const summary = "logins, sessions and real logouts for TypeScript servers";
const description = `tokenpair: ${summary}. JWT access tokens, single-use refresh tokens, and revocation on every node within a second.`;
const sources = new Map(listPages().map((path) => [toAddress(path), path]));
const answers = new Map(guide.flatMap(({ pages }) => pages.map(([path, , answer]) => [toAddress(path), answer])));

const sidebar: DefaultTheme.SidebarItem[] = guide.map(({ name, pages, isCollapsed }) => ({
  text: name,
  collapsed: isCollapsed ?? name.toLowerCase().endsWith("in depth"),
  items: [
    ...pages.map(([path, text]) => ({ text, link: toAddress(path) })),
    ...(name === "Reference" ? [{ text: "Library API", link: "/api/" }] : []),
  ],
}));

function toPageAddress({ relativePath }: Pick<PageData, "relativePath">): string {
  return `/${relativePath.replace(/(?:^|(?<=\/))index\.md$/, "").replace(/\.md$/, "")}`;
}

/** Returns what a search engine shows of a page: what it answers, as the guide says, or its title. */
function describe({ relativePath, title }: PageData): string {
  const address = toPageAddress({ relativePath });
  if (address === "/") return description;
  if (address.startsWith("/api/"))
    return `Types and functions of ${title}, with examples. API of tokenpair, ${summary}.`;
  const answer = answers.get(address) ?? `${title} of tokenpair`;
  return `${answer.charAt(0).toUpperCase()}${answer.slice(1)}. Documentation of tokenpair, ${summary}.`;
}

export default defineConfig({
  title: "tokenpair",
  description,
  base,
  head: [
    ["link", { rel: "icon", type: "image/svg+xml", href: `${base}icon.svg` }],
    ["meta", { name: "theme-color", content: "#12897d" }],
    ["meta", { property: "og:type", content: "website" }],
    ["meta", { property: "og:site_name", content: "tokenpair" }],
  ],
  transformPageData(page) {
    page.description = describe(page);
    const source = sources.get(toPageAddress(page));
    Object.assign(page.frontmatter, source === undefined ? { editLink: false } : { source });
  },
  transformHead: ({ pageData, title }) => [
    ["meta", { property: "og:title", content: title }],
    ["meta", { property: "og:description", content: pageData.description }],
  ],
  lang: "en",
  srcDir: ".pages",
  outDir: "dist",
  cacheDir: ".vitepress/cache",
  cleanUrls: true,
  lastUpdated: false,
  // check-links.ts checks them, and the anchors too.
  ignoreDeadLinks: true,
  markdown: {
    anchor: { slugify: toSlug },
    toc: { slugify: toSlug },
    languageAlias: { caddyfile: "nginx", haproxy: "nginx" },
    theme: { light: "github-light-high-contrast", dark: "github-dark" },
    config(md) {
      const fence = md.renderer.rules.fence;
      md.renderer.rules.fence = (tokens, index, ...rest) => {
        const token = tokens[index];
        if (token?.info.trim() !== "mermaid") return fence?.(tokens, index, ...rest) ?? "";
        return `<MermaidDiagram code="${encodeURIComponent(token.content)}" />`;
      };
    },
  },
  themeConfig: {
    logo: "/icon.svg",
    nav: [
      { text: "Guide", link: "/install" },
      { text: "Reference", link: "/settings" },
      { text: "API", link: "/api/" },
      { text: "Troubleshooting", link: "/troubleshooting" },
      {
        text: versions[0] === undefined ? "" : toLabel(versions[0]),
        items: [
          { text: "Version", items: versions.map((version) => ({ text: toLabel(version), link: version.link })) },
          { text: "Changelog", link: "/changelog" },
          { text: "Support and upgrades", link: "/versions" },
        ],
      },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: "local", options: { detailedView: "auto", miniSearch } },
    externalLinkIcon: true,
    editLink: {
      text: "Edit this page",
      pattern: ({ frontmatter }) => `https://github.com/tokenpair/tokenpair/edit/main/${frontmatter["source"]}`,
    },
    notFound: {
      title: "This page doesn't exist",
      quote:
        "It may have moved. Search for it with Ctrl K, or begin with the guide. If nothing works, see Troubleshooting.",
      link: "/overview",
      linkLabel: "Go to the overview",
      linkText: "Go to the overview",
    },
    socialLinks: [{ icon: "github", link: "https://github.com/tokenpair/tokenpair" }],
    footer: {
      message: `<a href="${base}changelog">Changelog</a> · <a href="${base}security">Security</a> · <a href="${base}llms.txt">llms.txt</a>`,
      copyright: "MIT licence",
    },
  },
});
