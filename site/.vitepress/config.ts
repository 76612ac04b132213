import { readFileSync } from "node:fs";
import { type DefaultTheme, defineConfig } from "vitepress";
import { guide } from "../guide.ts";
import { toSlug } from "../slug.ts";
import { toAddress } from "../stage.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const [major, minor] = version.split(".");

const sidebar: DefaultTheme.SidebarItem[] = guide.map(({ name, pages, isCollapsed }) => ({
  text: name,
  collapsed: isCollapsed ?? false,
  items: [
    ...pages.map(([path, text]) => ({ text, link: toAddress(path) })),
    ...(name === "Reference" ? [{ text: "Library API", link: "/api/" }] : []),
  ],
}));

export default defineConfig({
  title: "tokenpair",
  description: "Token-pair authentication for TypeScript servers.",
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
    nav: [
      { text: "Guide", link: "/overview" },
      { text: "Settings", link: "/settings" },
      { text: "Troubleshooting", link: "/troubleshooting" },
      {
        text: `${major}.${minor} (next)`,
        items: [
          { text: `${major}.${minor} (next)`, link: "/" },
          { text: "Changelog", link: "/changelog" },
        ],
      },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: "local" },
    socialLinks: [{ icon: "github", link: "https://github.com/tokenpair/tokenpair" }],
    footer: { message: "Released under the MIT licence." },
  },
});
