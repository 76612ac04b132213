import { createHash } from "node:crypto";
import { standardHeaders } from "./json.ts";

/*
 * What the files of web pages have in common, wherever they come from.
 */

/**
 * The content security policy (CSP Level 3, Trusted Types). It allows only the page's own files: no inline scripts, no other origins
 * and no framing. No script may make a policy for Trusted Types.
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

/** The headers of every response with a page or one of its files. */
export const pageHeaders: Readonly<Record<string, string>> = {
  ...standardHeaders,
  "Content-Security-Policy": contentSecurityPolicy,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** The media types of the files that pages have, by the end of the name. Other files of a build aren't served. */
export const pageMediaTypes: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * Returns a strong entity tag of a content.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
 */
export function toEntityTag(content: string | Uint8Array): string {
  return `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
}

/** Returns whether the client already has the content with this entity tag. Each entry is compared weakly (RFC 9110 §13.1.2). */
export function hasCurrent(requestHeaders: Headers, etag: string): boolean {
  const known = requestHeaders.get("If-None-Match")?.split(",") ?? [];
  const tags = known.map((entry) => entry.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}

/** Replaces every `{{name}}` in a quoted attribute with its value. */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) =>
    (values[name] ?? "").replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;"),
  );
}
