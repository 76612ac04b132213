import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { pageMediaTypes, toEntityTag } from "../../http/response/page-files.ts";
import { ConfigError } from "../config/config-error.ts";

/** A file of the page. */
export interface PageFile {
  readonly body: Uint8Array<ArrayBuffer>;
  /** The value of `Content-Type`. */
  readonly mediaType: string;
  /**
   * The file's strong entity tag (RFC 9110 §8.8.3).
   *
   * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
   */
  readonly etag: string;
}

/** The folders of the build that contain the page's scripts and styles. */
const folders = ["page", "client"];

/**
 * Reads the page's files from the build.
 *
 * @param build the path of the build's folder.
 * @param fill returns the HTML page that is made from a template.
 * @returns the files by the path at which they are served.
 * @throws ConfigError if the page has not been built.
 */
export function readPageFiles(build: string, fill: (template: string) => string): ReadonlyMap<string, PageFile> {
  const index = join(build, "page/index.html");
  if (!folders.every((folder) => existsSync(join(build, folder))) || !existsSync(index)) {
    throw new ConfigError("page: the page has not been built; run `npm run build`, or set page to false");
  }
  const page = toFile(Buffer.from(fill(readFileSync(index, "utf8"))), "text/html; charset=utf-8");
  const assets = folders.flatMap((folder) =>
    readdirSync(join(build, folder), { recursive: true, encoding: "utf8" }).flatMap((name): [string, PageFile][] => {
      const mediaType = pageMediaTypes[extname(name)];
      if (mediaType === undefined) return [];
      return [
        [`/assets/${folder}/${name.replaceAll(sep, "/")}`, toFile(readFileSync(join(build, folder, name)), mediaType)],
      ];
    }),
  );
  return new Map([["/", page], ...assets]);
}

function toFile(content: Uint8Array, mediaType: string): PageFile {
  return { body: new Uint8Array(content), mediaType, etag: toEntityTag(content) };
}
