import node from "@astrojs/node";
import { defineConfig } from "astro/config";

export default defineConfig({
  output: "server",
  adapter: node({ mode: "standalone" }),
  // Astro compares the origin of forms with these.
  security: { allowedDomains: [{ hostname: "localhost" }, { hostname: "app.example.com", protocol: "https" }] },
});
