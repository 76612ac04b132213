import { createHash } from "node:crypto";
import { pageSource } from "./page-source.ts";

/** The script of the page, without indentation. */
export const script: string = compact(pageSource);

/** The style: the text shows after a second, the link after eight or when an attempt has failed. */
export const style: string = compact(`
:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}
body{margin:20vh auto;max-width:30rem;padding:0 1rem}
p{animation:1ms 1s backwards h}
p+p{animation-delay:8s}
.on p{animation:none}
@keyframes h{0%,to{visibility:hidden}}
`);

/** The policy of the page: only its own script and style, and requests to its own origin. */
export const policy: string = [
  "default-src 'none'",
  `script-src ${toHashSource(script)}`,
  `style-src ${toHashSource(style)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

function compact(text: string): string {
  return text.trim().replaceAll(/\n\s*/g, "\n");
}

function toHashSource(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
