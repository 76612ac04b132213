import { type Address, isInNetworks, parseAddress, parseNetwork, unixPeer } from "../../core/addresses.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { type HeaderSource, readHeader, toLowerCase } from "./headers.ts";

/** Facts about a connection that the server knows but the request doesn't contain. */
export interface ConnectionInfo {
  /**
   * The IP address of the other end of the socket. It belongs to the client or, behind a proxy, to the last proxy. "unix"
   * for a unix socket. Missing if it is not known. In that case, limits by address don't apply.
   */
  readonly ip?: string | undefined;
}

/**
 * Returns the client's IP address. Returns "unix" for a unix socket if no client address is known, and `undefined` if
 * nothing is known.
 */
export type FindClientIp = (headers: HeaderSource, connection?: ConnectionInfo) => string | undefined;

/**
 * Creates the function that finds a client's address. If the socket doesn't belong to a trusted proxy, it is the socket's
 * address. Otherwise, it is the right-most address in `forwardedHeader` that doesn't belong to a trusted proxy, because a
 * client can write anything to the left of that. An entry that is not an address ends the search: the address is then that
 * of the proxy that wrote the entry. A trusted proxy can also be a unix socket.
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

/**
 * Splits the header at every comma, even within quotes. Otherwise, a client could use an open quote to hide what the proxy
 * adds after it.
 */
function readEntries(headers: HeaderSource, name: Lowercase<string>): string[] {
  return readHeader(headers, name)?.split(",") ?? [];
}

/** Parses an address. Some proxies add a port to it. */
function parseForwardedFor(entry: string): Address | null {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|(.*))$/.exec(entry.trim()) ?? [];
  return parseAddress(bracketed ?? plain?.replace(/^([\d.]+):\d+$/, "$1") ?? "");
}

/**
 * Parses the `for` parameter of a forwarded element (RFC 7239 §4, §6). Returns `null` for `unknown` and for obfuscated
 * identifiers too.
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
