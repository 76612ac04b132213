import { testExample } from "./example-cases.ts";

testExample({ name: "astro", program: "dist/server/entry.mjs" });
