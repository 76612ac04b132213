import type { ClientInfo } from "../../core/client-info.ts";
import { type HeaderSource, readHeader } from "./headers.ts";

/** A longer `User-Agent` is cut to this many characters before it is stored. */
const maxUserAgentLength = 512;

/** Returns who sent a request. `ip` is the client's address, if it is known. */
export function toClientInfo(headers: HeaderSource, ip?: string): ClientInfo {
  return { ip, userAgent: readHeader(headers, "user-agent")?.slice(0, maxUserAgentLength) };
}
