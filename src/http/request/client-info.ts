import type { ClientInfo } from "../../core/client-info.ts";
import { type HeaderSource, readHeader } from "./headers.ts";

/** The maximum number of characters of a `User-Agent` header that are stored. Longer headers are truncated. */
const maxUserAgentLength = 512;

/** Returns who sent a request. `ip` is the client's address, if it is known. */
export function toClientInfo(headers: HeaderSource, ip?: string): ClientInfo {
  return { ip, userAgent: readHeader(headers, "user-agent")?.slice(0, maxUserAgentLength) };
}
