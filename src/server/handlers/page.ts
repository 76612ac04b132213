import { fileURLToPath } from "node:url";
import { toCookieNames } from "../../core/settings/cookie-names.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import { isDevelopmentRequest, toDevelopmentSettings } from "../../http/cookies/development-cookies.ts";
import { fillTemplate, hasCurrent, pageHeaders } from "../../http/response/page-files.ts";
import type { Handler } from "./app.ts";
import { type PageFile, readPageFiles } from "./page-files.ts";
import { createReadOnlyHandler } from "./read-only.ts";

/** The folder of the build. It is the same for a server that runs from the build and for one that runs from source. */
const ownBuild = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../../../dist/" : "../../", import.meta.url));

const headers = { ...pageHeaders, "Cache-Control": "no-cache" };

/** The options of `createPage`. */
export interface PageHandlerOptions {
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
  { build = ownBuild, developmentCookies = false, demonstration = false }: PageHandlerOptions = {},
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
      return hasCurrent(request.headers, found.etag) ? toNotModified(found) : toResponse(found);
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

function toNotModified({ etag }: PageFile): Response {
  return new Response(null, { status: 304, headers: { ...headers, ETag: etag } });
}

function toResponse({ body, mediaType, etag }: PageFile): Response {
  return new Response(body, {
    headers: {
      ...headers,
      "Content-Type": mediaType,
      "Content-Length": String(body.byteLength),
      ETag: etag,
    },
  });
}
