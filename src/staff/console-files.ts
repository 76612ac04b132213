import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { fillTemplate, hasCurrent, pageHeaders, pageMediaTypes, toEntityTag } from "../http/response/page-files.ts";

/** The folder of the build. It is the same for code that runs from the build and for code that runs from source. */
const build = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../../dist/console/" : "../console/", import.meta.url),
);

const commonHeaders = { ...pageHeaders, "X-Robots-Tag": "noindex" };

/** The compressed forms of a file, best first, with the ends of their names. */
const encodings = [
  ["br", ".br"],
  ["gzip", ".gz"],
] as const;

type Bytes = Uint8Array<ArrayBuffer>;

/** A file of the console. */
interface Asset {
  readonly mediaType: string;
  readonly plain: Bytes;
  readonly compressed: ReadonlyMap<string, Bytes>;
}

/** Answers the requests for the console's pages and files. */
export interface ConsoleFiles {
  /** Answers a request to a path below the console's. All pages are one document, which chooses its view by the path. */
  respond(request: Request, attributes: Readonly<Record<string, string>>): Response;
}

/**
 * Reads the console's files, once.
 *
 * @param path the path of the console, such as "/console".
 * @throws TypeError if the console has not been built.
 */
export function readConsoleFiles(path: string): ConsoleFiles {
  const index = join(build, "index.html");
  if (!existsSync(index)) throw new TypeError("console: the console has not been built; run `npm run build`");
  const template = readFileSync(index, "utf8");
  const assets = readAssets();
  return {
    respond(request, attributes) {
      const { method } = request;
      if (method !== "GET" && method !== "HEAD") {
        return new Response(null, { status: 405, headers: { ...commonHeaders, Allow: "GET, HEAD" } });
      }
      const { pathname } = new URL(request.url);
      const response = pathname.startsWith(`${path}/assets/`)
        ? toAssetResponse(assets.get(pathname.slice(`${path}/assets/`.length)), request.headers)
        : toPageResponse(fillTemplate(template, attributes), request.headers);
      return method === "HEAD" ? new Response(null, response) : response;
    },
  };
}

function readAssets(): ReadonlyMap<string, Asset> {
  const folder = join(build, "assets");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return new Map(
    names.flatMap((name): [string, Asset][] => {
      const mediaType = pageMediaTypes[extname(name)];
      if (mediaType === undefined) return [];
      const read = (end: string) => new Uint8Array(readFileSync(join(folder, `${name}${end}`)));
      const compressed = encodings.filter(([, end]) => names.includes(`${name}${end}`));
      return [
        [
          name.replaceAll(sep, "/"),
          {
            mediaType,
            plain: read(""),
            compressed: new Map(compressed.map(([encoding, end]) => [encoding, read(end)])),
          },
        ],
      ];
    }),
  );
}

/** Returns a file. Its name has a hash of its content, so it never changes. */
function toAssetResponse(asset: Asset | undefined, requestHeaders: Headers): Response {
  if (asset === undefined) return new Response("Not found.", { status: 404, headers: commonHeaders });
  const accepted = requestHeaders.get("Accept-Encoding") ?? "";
  const [encoding, body = asset.plain] =
    [...asset.compressed].find(([name]) =>
      new RegExp(`\\b${name}\\b(?!\\s*;\\s*q=0(?:\\.0*)?(?:,|$))`).test(accepted),
    ) ?? [];
  return new Response(body, {
    headers: {
      ...commonHeaders,
      "Content-Type": asset.mediaType,
      "Cache-Control": "public, max-age=31536000, immutable",
      Vary: "Accept-Encoding",
      ...(encoding === undefined ? {} : { "Content-Encoding": encoding }),
    },
  });
}

function toPageResponse(html: string, requestHeaders: Headers): Response {
  const etag = toEntityTag(html);
  const headers = { ...commonHeaders, "Cache-Control": "no-cache", ETag: etag };
  if (hasCurrent(requestHeaders, etag)) return new Response(null, { status: 304, headers });
  return new Response(html, { headers: { ...headers, "Content-Type": "text/html; charset=utf-8" } });
}
