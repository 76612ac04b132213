import { type Address, isInNetworks, parseAddress, parseNetwork, unixPeer } from "../../core/addresses.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { type HeaderSource, readHeader, toLowerCase } from "./headers.ts";

/** What the server knows about a connection, and the request itself doesn't say. */
export interface ConnectionInfo {
  /**
   * The IP address at the other end of the socket: the client's or, behind a proxy, the last proxy's. "unix" for a unix
   * socket. Missing if it is not known; limits by address then don't apply.
   */
  readonly ip?: string | undefined;
}

/** Returns the client's IP address, "unix" for a unix socket without one, or `undefined` if it is not known. */
export type FindClientIp = (headers: HeaderSource, connection?: ConnectionInfo) => string | undefined;

/**
 * Creates the function that finds a client's address. That is the socket's address, unless the socket is a trusted
 * proxy's, which can be a unix socket. Then it is the right-most address in `forwardedHeader` that is not a trusted proxy's: a client can write
 * anything to the left of it. An entry that is not an address ends the search at the proxy that wrote the entry.
 */
export function createClientIpFinder({
  trustedProxies,
  forwardedHeader,
}: Pick<Settings, "trustedProxies" | "forwardedHeader">): FindClientIp {
  const proxies = trustedProxies.map(parseNetwork).filter((network) => network !== null);
  const headerName = toLowerCase(forwardedHeader);
  const toAddress = forwardedHeader === "Forwarded" ? parseForwarded : parseForwardedFor;
  const isUnixTrusted = trustedProxies.includes(unixPeer);
  if (proxies.length === 0 && !isUnixTrusted)
    return (_headers, connection) => connection?.ip?.replace(/^::ffff:(?=\d+\.)/i, "");
  return (headers, { ip } = {}) => {
    let client = ip === undefined ? null : parseAddress(ip);
    if (client === null && !(ip === unixPeer && isUnixTrusted)) return ip;
    const isTrusted = () => client === null || isInNetworks(client, proxies);
    const entries = isTrusted() ? readEntries(headers, headerName) : [];
    while (isTrusted() && entries.length > 0) {
      const next = toAddress(entries.pop() ?? "");
      if (next === null) break;
      client = next;
    }
    return client === null ? ip : client.toString();
  };
}

/** Splits at every comma, also within quotes: a client's open quote must not hide what the proxy added after it. */
function readEntries(headers: HeaderSource, name: Lowercase<string>): string[] {
  return readHeader(headers, name)?.split(",") ?? [];
}

/** Parses an address, with the port that some proxies add. */
function parseForwardedFor(entry: string): Address | null {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|(.*))$/.exec(entry.trim()) ?? [];
  return parseAddress(bracketed ?? plain?.replace(/^([\d.]+):\d+$/, "$1") ?? "");
}

/**
 * Parses `for` of a forwarded element (RFC 7239 §4, §6). Returns `null` also for `unknown` and obfuscated identifiers.
 */
function parseForwarded(element: string): Address | null {
  const pairs = element.split(";").map((pair) => /^\s*for=(?:"([^"\\]*)"|([^\s"]*))\s*$/i.exec(pair));
  const [found, second] = pairs.filter((pair) => pair !== null);
  return found === undefined || second !== undefined ? null : parseForwardedFor(found[1] ?? found[2] ?? "");
}

/** Creates a function that returns whether the other end of the socket is one of `trustedProxies`. */
export function createProxyCheck({
  trustedProxies,
}: Pick<Settings, "trustedProxies">): (connection: ConnectionInfo) => boolean {
  const proxies = trustedProxies.map(parseNetwork).filter((network) => network !== null);
  const isUnixTrusted = trustedProxies.includes(unixPeer);
  return ({ ip }) => {
    if (ip === undefined) return false;
    const address = parseAddress(ip);
    return address === null ? ip === unixPeer && isUnixTrusted : isInNetworks(address, proxies);
  };
}
