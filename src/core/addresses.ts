import ipaddr from "ipaddr.js";

/** A parsed IP address. An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is represented by its IPv4 address. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Parses an IP address and drops the zone of an IPv6 address (`%eth0`). Returns `null` for any other text, such as an IPv4
 * address with fewer than four parts.
 */
export function parseAddress(text: string): Address | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  const [address = ""] = text.split("%", 1);
  if (!address.includes(":") || !ipaddr.IPv6.isValid(address)) return null;
  const parsed = ipaddr.IPv6.parse(address);
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed;
}

/** Returns whether `text` is an IP address, or a network such as "10.0.0.0/8" whose bits after the prefix are all zero. */
export function isNetwork(text: unknown): boolean {
  return typeof text === "string" && parseNetwork(text) !== null;
}

/** The name used instead of an address for a client that connects through a unix socket. */
export const unixPeer = "unix";

/** A network: all addresses that share their first bits. */
export interface Network {
  /** The first address of the network. */
  readonly address: Address;
  /** The number of bits that are shared. */
  readonly prefix: number;
}

/** Parses an IP address or a network. Returns `null` for any other text. */
export function parseNetwork(text: string): Network | null {
  const [, base = "", digits] = /^([^/%]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const address = parseAddress(base);
  if (address === null) return null;
  const family = address instanceof ipaddr.IPv6 ? ipaddr.IPv6 : ipaddr.IPv4;
  const bits = address instanceof ipaddr.IPv6 ? 128 : 32;
  const prefix = digits === undefined ? bits : Number(digits);
  // The prefix of an IPv4-mapped address counts the bits of the IPv6 address, but the parsed address is IPv4.
  if (prefix > bits || (digits !== undefined && base.includes(":") && bits === 32)) return null;
  const first = family.networkAddressFromCIDR(`${address}/${prefix}`);
  return first.toString() === address.toString() ? { address, prefix } : null;
}

/** Returns whether `address` is in one of `networks`. */
export function isInNetworks(address: Address, networks: readonly Network[]): boolean {
  return networks.some(
    (network) => network.address.kind() === address.kind() && address.match(network.address, network.prefix),
  );
}

const privateRanges: ReadonlySet<string> = new Set([
  "loopback",
  "private",
  "uniqueLocal",
  "linkLocal",
  "carrierGradeNat",
]);

/** Returns whether an address is a loopback or private address. A reverse proxy may send from such an address. */
export function isPrivateAddress(address: Address): boolean {
  return privateRanges.has(address.range());
}

/** Returns whether an address belongs to this machine: 127.0.0.0/8 or ::1. */
export function isLoopbackAddress(address: Address): boolean {
  return address.range() === "loopback";
}

/** Returns whether a URL's `hostname` belongs to this machine: a loopback address, `localhost` or a name below it. */
export function isLoopbackHostname(hostname: string): boolean {
  const address = parseAddress(hostname.replace(/^\[(.*)\]$/, "$1"));
  return address === null ? /^(?:.+\.)?localhost$/.test(hostname) : isLoopbackAddress(address);
}

/**
 * Returns what counts as one client: an IPv4 address, or the /64 network of an IPv6 address, because one subscriber has a
 * whole /64 (RFC 6177). Returns a text that is not an address unchanged.
 */
export function toClientNetwork(text: string): string {
  const address = parseAddress(text);
  if (address === null) return text;
  return address instanceof ipaddr.IPv6 ? `${toHex(address.parts.slice(0, 4))}::/64` : address.toString();
}

function toHex(parts: readonly number[]): string {
  return parts.map((part) => part.toString(16)).join(":");
}
