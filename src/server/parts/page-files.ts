import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { ConfigError } from "../config/config-error.ts";

/** One file as it is sent. */
export interface PageFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
  /** A strong validator (RFC 9110 §8.8.3). */
  readonly etag: string;
}

const mediaTypes: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The rooms that the page's modules are in, and the folders of their files. */
const rooms = ["page", "client"];

/**
 * Reads the page's files from the build, by the path that each is served at; `fill` makes the page of its template.
 *
 * @throws ConfigError where the build has no page.
 */
export function readPageFiles(build: string, fill: (template: string) => string): ReadonlyMap<string, PageFile> {
  const index = join(build, "page/index.html");
  if (!rooms.every((room) => existsSync(join(build, room))) || !existsSync(index)) {
    throw new ConfigError("page: the page has not been built; run `npm run build`, or set page to false");
  }
  const page = toFile(Buffer.from(fill(readFileSync(index, "utf8"))), "text/html; charset=utf-8");
  const assets = rooms.flatMap((room) =>
    readdirSync(join(build, room), { recursive: true, encoding: "utf8" }).flatMap((name): [string, PageFile][] => {
      const mediaType = mediaTypes[extname(name)];
      if (mediaType === undefined) return [];
      return [
        [`/assets/${room}/${name.replaceAll(sep, "/")}`, toFile(readFileSync(join(build, room, name)), mediaType)],
      ];
    }),
  );
  return new Map([["/", page], ...assets]);
}

function toFile(content: Uint8Array, mediaType: string): PageFile {
  const digest = createHash("sha256").update(content).digest("base64url");
  return { body: new Uint8Array(content), mediaType, etag: `"${digest.slice(0, 22)}"` };
}
