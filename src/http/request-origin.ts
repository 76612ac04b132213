import type { RequestOrigin } from "../core/events.ts";
import { type HeaderSource, readHeader } from "./header-source.ts";

/** The most of a `User-Agent` that is worth keeping with a session. */
const maxUserAgentLength = 512;

/** Where a request came from. */
export function toOrigin(headers: HeaderSource, { ip }: { readonly ip?: string | undefined } = {}): RequestOrigin {
  return { ip, userAgent: readHeader(headers, "user-agent")?.slice(0, maxUserAgentLength) };
}
