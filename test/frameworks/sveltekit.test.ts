import { testExample } from "./example-cases.ts";

testExample({ name: "sveltekit", program: "build/index.js" });
