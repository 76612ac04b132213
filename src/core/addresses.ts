import ipaddr from "ipaddr.js";

/** An IP address, parsed; an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is the IPv4 address that it holds. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Reads an IP address; an IPv6 zone (`%eth0`) is dropped. `null` for any other text, also for IPv4 in fewer parts. */
export function parseAddress(text: string): Address | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  const [address = ""] = text.split("%", 1);
  if (!address.includes(":") || !ipaddr.IPv6.isValid(address)) return null;
  const parsed = ipaddr.IPv6.parse(address);
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed;
}

/** Whether `text` is an IP address, or a network such as "10.0.0.0/8" with no bit set behind its prefix. */
export function isNetwork(text: unknown): boolean {
  return typeof text === "string" && parseNetwork(text) !== null;
}

/** Addresses whose first `prefix` bits are those of `address`. */
export interface Network {
  readonly address: Address;
  readonly prefix: number;
}

/** Reads an IP address or a network; `null` for any other text. */
export function parseNetwork(text: string): Network | null {
  const [, base = "", digits] = /^([^/%]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const address = parseAddress(base);
  if (address === null) return null;
  const family = address instanceof ipaddr.IPv6 ? ipaddr.IPv6 : ipaddr.IPv4;
  const bits = address instanceof ipaddr.IPv6 ? 128 : 32;
  const prefix = digits === undefined ? bits : Number(digits);
  // The prefix of a mapped address would count from the start of the IPv6 address that it no longer is.
  if (prefix > bits || (digits !== undefined && base.includes(":") && bits === 32)) return null;
  const first = family.networkAddressFromCIDR(`${address}/${prefix}`);
  return first.toString() === address.toString() ? { address, prefix } : null;
}

/** Whether `address` is of one of `networks`. */
export function isInNetworks(address: Address, networks: readonly Network[]): boolean {
  return networks.some(
    (network) => network.address.kind() === address.kind() && address.match(network.address, network.prefix),
  );
}

const neighbourly: ReadonlySet<string> = new Set([
  "loopback",
  "private",
  "uniqueLocal",
  "linkLocal",
  "carrierGradeNat",
]);

/** Whether an address is this machine's or of a private network, where a reverse proxy may be: none of the internet's. */
export function isNeighbour(address: Address): boolean {
  return neighbourly.has(address.range());
}

/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 address, which is what one subscriber has (RFC 6177).
 * A text that is no address stands for itself.
 */
export function toClientNetwork(text: string): string {
  const address = parseAddress(text);
  if (address === null) return text;
  return address instanceof ipaddr.IPv6 ? `${toHex(address.parts.slice(0, 4))}::/64` : address.toString();
}

function toHex(parts: readonly number[]): string {
  return parts.map((part) => part.toString(16)).join(":");
}
