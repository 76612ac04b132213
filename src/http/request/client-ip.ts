import { type Address, isInNetworks, parseAddress, parseNetwork } from "../../core/addresses.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { type HeaderSource, readHeader, toLowerCase } from "./headers.ts";

/** The client's address, from the request's headers and the address at the other end of the socket. */
export type FindClientIp = (headers: HeaderSource, socketAddress: string | undefined) => string | undefined;

/**
 * A client's address is its socket's. Where that is a trusted proxy's, it is the right-most address in `forwardedHeader`
 * that is none: what stands further left came from the client, who may write what they like. An entry that is no address
 * ends the search at the proxy that wrote it.
 */
export function createClientIpFinder({
  trustedProxies,
  forwardedHeader,
}: Pick<Settings, "trustedProxies" | "forwardedHeader">): FindClientIp {
  const proxies = trustedProxies.map(parseNetwork).filter((network) => network !== null);
  const headerName = toLowerCase(forwardedHeader);
  const toAddress = forwardedHeader === "Forwarded" ? readForwarded : readForwardedFor;
  if (proxies.length === 0) return (_headers, socketAddress) => socketAddress?.replace(/^::ffff:(?=\d+\.)/i, "");
  return (headers, socketAddress) => {
    let client = socketAddress === undefined ? null : parseAddress(socketAddress);
    if (client === null) return socketAddress;
    const entries = isInNetworks(client, proxies) ? readEntries(headers, headerName) : [];
    while (isInNetworks(client, proxies) && entries.length > 0) {
      const next = toAddress(entries.pop() ?? "");
      if (next === null) break;
      client = next;
    }
    return client.toString();
  };
}

/** Split at every comma, also within quotes: a client's open quote must not swallow what the proxy has added after it. */
function readEntries(headers: HeaderSource, name: Lowercase<string>): string[] {
  return readHeader(headers, name)?.split(",") ?? [];
}

/** An address, as some proxies send it with a port. */
function readForwardedFor(entry: string): Address | null {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|(.*))$/.exec(entry.trim()) ?? [];
  return parseAddress(bracketed ?? plain?.replace(/^([\d.]+):\d+$/, "$1") ?? "");
}

/** The `for` of a forwarded element (RFC 7239 §4 and §6); `null` also for an obfuscated identifier and `unknown`. */
function readForwarded(element: string): Address | null {
  const pairs = element.split(";").map((pair) => /^\s*for=(?:"([^"\\]*)"|([^\s"]*))\s*$/i.exec(pair));
  const [found, second] = pairs.filter((pair) => pair !== null);
  return found === undefined || second !== undefined ? null : readForwardedFor(found[1] ?? found[2] ?? "");
}
