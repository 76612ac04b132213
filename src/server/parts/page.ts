import { fileURLToPath } from "node:url";
import { toCookieNames } from "../../core/settings/cookie-names.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import { standardHeaders } from "../../http/response/json.ts";
import type { Part } from "./app.ts";
import { type PageFile, readPageFiles } from "./page-files.ts";
import { createReadOnlyPart } from "./read-only-part.ts";

/** Where the build is, for the server in it and for the server from source. */
const ownBuild = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../../../dist/" : "../../", import.meta.url));

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

const pageHeaders = {
  ...standardHeaders,
  "Cache-Control": "no-cache",
  "Content-Security-Policy": contentSecurityPolicy,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/**
 * The page at `/`, with its files under `/assets/`. Everything is read once, here: no request reaches the disk.
 *
 * @throws ConfigError where the page has not been built.
 */
export function createPage(settings: Settings<AuthUser>, build = ownBuild): Part {
  const files = readPageFiles(build, (template) => fillTemplate(template, toPageSettings(settings)));
  return createReadOnlyPart((pathname) => {
    const file = files.get(pathname);
    return file && (({ headers }) => (hasCurrent(headers, file) ? toNotModified(file) : toResponse(file)));
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
function hasCurrent(headers: Headers, { etag }: PageFile): boolean {
  const known =
    headers
      .get("If-None-Match")
      ?.split(",")
      .map((entry) => entry.trim().replace(/^W\//, "")) ?? [];
  return known.includes(etag) || known.includes("*");
}

function toNotModified({ etag }: PageFile): Response {
  return new Response(null, { status: 304, headers: { ...pageHeaders, ETag: etag } });
}

function toResponse({ body, mediaType, etag }: PageFile): Response {
  return new Response(body, {
    headers: {
      ...pageHeaders,
      "Content-Type": mediaType,
      "Content-Length": String(body.byteLength),
      ETag: etag,
    },
  });
}
