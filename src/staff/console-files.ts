import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { standardHeaders } from "../http/response/json.ts";

/** The folder of the build. It is the same for code that runs from the build and for code that runs from source. */
const build = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../../dist/console/" : "../console/", import.meta.url),
);

/**
 * The content security policy (CSP Level 3, Trusted Types). It allows only the console's own files, and no script may make a policy
 * for Trusted Types.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const commonHeaders = {
  ...standardHeaders,
  "Content-Security-Policy": contentSecurityPolicy,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Robots-Tag": "noindex",
};

const mediaTypes: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

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
      const mediaType = mediaTypes[extname(name)];
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
  const etag = `"${createHash("sha256").update(html).digest("base64url").slice(0, 22)}"`;
  const headers = { ...commonHeaders, "Cache-Control": "no-cache", ETag: etag };
  const known = requestHeaders.get("If-None-Match") ?? "";
  if (known.includes(etag)) return new Response(null, { status: 304, headers });
  return new Response(html, { headers: { ...headers, "Content-Type": "text/html; charset=utf-8" } });
}

/** Replaces every `{{name}}` in a quoted attribute with its value. */
function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) =>
    (values[name] ?? "").replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;"),
  );
}
