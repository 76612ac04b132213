import { testExample } from "./example-cases.ts";

testExample({ name: "nuxt", program: ".output/server/index.mjs" });
