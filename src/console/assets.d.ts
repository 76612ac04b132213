declare module "*.svg" {
  /** The file's URL. */
  const url: string;
  // biome-ignore lint/style/noDefaultExport: Vite exports it so
  export default url;
}

declare module "*.css" {}
