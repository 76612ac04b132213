import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme";
import { h } from "vue";
import MarkdownLink from "./MarkdownLink.vue";
import MermaidDiagram from "./MermaidDiagram.vue";
import ServerCode from "./ServerCode.vue";
import "./style.css";

const theme: Theme = {
  extends: DefaultTheme,
  Layout: () =>
    h(DefaultTheme.Layout, null, {
      "home-hero-image": () => h(ServerCode),
      "aside-outline-after": () => h(MarkdownLink),
    }),
  enhanceApp({ app }) {
    app.component("MermaidDiagram", MermaidDiagram);
  },
};

export default theme;
