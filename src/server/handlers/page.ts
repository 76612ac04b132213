import { fileURLToPath } from "node:url";
import { toCookieNames } from "../../core/settings/cookie-names.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import { isDevelopmentRequest, toDevelopmentSettings } from "../../http/cookies/development-cookies.ts";
import { standardHeaders } from "../../http/response/json.ts";
import type { Handler } from "./app.ts";
import { type PageFile, readPageFiles } from "./page-files.ts";
import { createReadOnlyHandler } from "./read-only.ts";

/** The folder of the build. It is the same for a server that runs from the build and for one that runs from source. */
const ownBuild = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../../../dist/" : "../../", import.meta.url));

/**
 * The content security policy (CSP Level 3, Trusted Types). It allows only the page's own files: no inline scripts, no
 * other origins and no framing.
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

const pageHeaders = {
  ...standardHeaders,
  "Cache-Control": "no-cache",
  "Content-Security-Policy": contentSecurityPolicy,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** The options of `createPage`. */
export interface PageOptions {
  /** The path of the build's folder. Default: this package's own build. */
  readonly build?: string;
  /**
   * Whether browsers on this machine get development cookies. If so, the page uses the names of these cookies. Default:
   * false.
   */
  readonly developmentCookies?: boolean;
  /** Whether browsers on this machine see the demonstration. Default: false. */
  readonly demonstration?: boolean;
}

/**
 * Creates the handler of the page at `/` and of its files under `/assets/`. It reads each file once, when it is created,
 * and answers requests from memory.
 *
 * @throws ConfigError if the page has not been built.
 */
export function createPage(
  settings: Settings<AuthUser>,
  { build = ownBuild, developmentCookies = false, demonstration = false }: PageOptions = {},
): Handler {
  const readFiles = (own: Settings<AuthUser>, demo: "on" | "off") =>
    readPageFiles(build, (template) => fillTemplate(template, { ...toPageSettings(own), demo }));
  const files = readFiles(settings, "off");
  const developmentFiles = developmentCookies
    ? readFiles(toDevelopmentSettings(settings), demonstration ? "on" : "off")
    : files;
  return createReadOnlyHandler((pathname) => {
    const [file, developmentFile] = [files.get(pathname), developmentFiles.get(pathname)];
    if (file === undefined || developmentFile === undefined) return undefined;
    return (request, connection) => {
      const found = developmentCookies && isDevelopmentRequest(request, connection?.ip) ? developmentFile : file;
      return hasCurrent(request.headers, found) ? toNotModified(found) : toResponse(found);
    };
  });
}

/** Returns the settings that the page needs. `src/page/settings.ts` describes them. */
function toPageSettings(settings: Settings<AuthUser>): Readonly<Record<string, string>> {
  return {
    publicPath: settings.publicPath ?? "",
    authPath: `${settings.publicPath ?? ""}${settings.authPath}`,
    csrfCookie: toCookieNames(settings).csrf,
    csrfHeaderName: settings.csrfHeaderName,
    passwords: settings.findUser === undefined ? "here" : "elsewhere",
  };
}

/** Replaces every `{{name}}` in a quoted attribute with its value. */
function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => toAttributeText(values[name] ?? ""));
}

function toAttributeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}

/** Returns whether the client already has the current file. Each entry is compared weakly (RFC 9110 §13.1.2). */
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
