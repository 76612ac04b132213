import { existsSync } from "node:fs";
import { minutes } from "tokenpair";
import { defineConfig } from "tokenpair/config";

// The database and the key are in .env here, and in the environment of your servers. The server and the command line read both.
if (existsSync(".env")) process.loadEnvFile(".env");

export default defineConfig({
  accessTokenLifetime: minutes(15),
});
