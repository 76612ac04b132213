import { testExample } from "./example-cases.ts";

testExample({ name: "react-router", program: "server.js" });
