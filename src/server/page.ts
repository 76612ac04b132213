import { fileURLToPath } from "node:url";
import { toCookieNames } from "../core/cookie-names.ts";
import type { Settings } from "../core/settings.ts";
import type { AuthUser } from "../core/user.ts";
import type { Part } from "./app.ts";
import { type PageFile, readPageFiles } from "./page-files.ts";
import { toPlainJson } from "./plain-json.ts";

/** Where the build is, for the server in it and for the server from source. */
const ownBuild = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../../dist/" : "../", import.meta.url));

/** Own files only; nothing inline, nothing from elsewhere, nowhere to be framed (CSP Level 3, Trusted Types). */
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
].join("; ");

const standardHeaders = {
  "Cache-Control": "no-cache",
  "Content-Security-Policy": contentSecurityPolicy,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
};

/**
 * The page at `/`, with its files under `/assets/`. Everything is read once, here: no request reaches the disk.
 *
 * @throws ConfigError where the page has not been built.
 */
export function createPage(settings: Settings<AuthUser>, build = ownBuild): Part {
  const files = readPageFiles(build, (template) => fillTemplate(template, toPageSettings(settings)));
  return Object.freeze({
    handles: (pathname: string) => files.has(pathname),
    async fetch(request: Request): Promise<Response> {
      const { method, headers } = request;
      const file = files.get(new URL(request.url).pathname);
      if (file === undefined) return toPlainJson(404, { detail: "Not found.", code: "not_found" });
      if (method !== "GET" && method !== "HEAD") {
        return toPlainJson(405, { detail: `Method "${method}" not allowed.` }, { Allow: "GET, HEAD" });
      }
      return hasCurrent(headers.get("If-None-Match"), file) ? toNotModified(file) : toResponse(file, method);
    },
  });
}

/** What the page must know of the settings: see `src/page/settings.ts`. */
function toPageSettings(settings: Settings<AuthUser>): Readonly<Record<string, string>> {
  return {
    authPath: settings.authPath,
    csrfCookie: toCookieNames(settings).csrf,
    passwords: settings.findUser === undefined ? "here" : "elsewhere",
  };
}

/** `{{name}}` stands for a value inside a quoted attribute. */
function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => toAttributeText(values[name] ?? ""));
}

function toAttributeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}

/** RFC 9110 §13.1.2: a weak comparison with any entry of the list. */
function hasCurrent(ifNoneMatch: string | null, { etag }: PageFile): boolean {
  const known = ifNoneMatch?.split(",").map((entry) => entry.trim().replace(/^W\//, "")) ?? [];
  return known.includes(etag) || known.includes("*");
}

function toNotModified({ etag }: PageFile): Response {
  return new Response(null, { status: 304, headers: { ...standardHeaders, ETag: etag } });
}

function toResponse({ body, mediaType, etag }: PageFile, method: string): Response {
  return new Response(method === "HEAD" ? null : body, {
    headers: {
      ...standardHeaders,
      "Content-Type": mediaType,
      "Content-Length": String(body.byteLength),
      ETag: etag,
    },
  });
}
