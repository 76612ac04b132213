import "./lib/client.ts";
