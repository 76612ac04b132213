import { resolve } from "node:path";

/** Settings of the application that both majors of Next share. */
export default {
  // tokenpair's paths end with a slash or not: Next needn't redirect them.
  skipTrailingSlashRedirect: process.env.TRAILING_SLASH === undefined,
  trailingSlash: process.env.TRAILING_SLASH === "true",
  ...(process.env.EXTERNAL === undefined ? {} : { serverExternalPackages: ["tokenpair"] }),
  // This project has lock files above and below.
  turbopack: { root: resolve(import.meta.dirname, "../../../../..") },
  outputFileTracingRoot: resolve(import.meta.dirname, "../../../../.."),
  // The types are checked by the project's own compiler.
  typescript: { ignoreBuildErrors: true },
};
