import type { ClientInfo } from "../../core/client-info.ts";
import { type HeaderSource, readHeader } from "./headers.ts";

/** The most of a `User-Agent` that is worth keeping with a session. */
const maxUserAgentLength = 512;

/** Where a request came from. */
export function toClientInfo(headers: HeaderSource, { ip }: { readonly ip?: string | undefined } = {}): ClientInfo {
  return { ip, userAgent: readHeader(headers, "user-agent")?.slice(0, maxUserAgentLength) };
}
