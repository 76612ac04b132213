import ipaddr from "ipaddr.js";
import { parseNetwork } from "../../core/addresses.ts";
import type { SessionFilter } from "../../core/store/staff.ts";

/** The maximum number of texts to compare an address with. */
const maxTexts = 128;

/**
 * Converts an address or a network, such as "203.0.113.0/24", to what the addresses of sessions are compared with: their texts, as
 * databases without a type for addresses have nothing else.
 *
 * @returns `null` if the text is neither, or a network that can't be compared as text: an IPv6 network must end at a colon.
 */
export function toAddressFilter(text: string): Pick<SessionFilter, "ips" | "ipPrefixes"> | null {
  const network = parseNetwork(text);
  if (network === null) return null;
  const { address, prefix } = network;
  if (address instanceof ipaddr.IPv6) {
    if (prefix === 128) return { ips: [address.toString()] };
    const groups = address.parts.slice(0, prefix / 16);
    // A group that is zero may be left out of the text.
    if (prefix % 16 !== 0 || prefix === 0 || groups.includes(0)) return null;
    return { ipPrefixes: [`${groups.map((group) => group.toString(16)).join(":")}:`] };
  }
  if (prefix === 32) return { ips: [address.toString()] };
  // It would not compare anything, and so find IPv6 and unknown addresses too.
  if (prefix === 0) return null;
  const whole = Math.ceil(prefix / 8);
  const count = 2 ** (whole * 8 - prefix);
  if (count > maxTexts) return null;
  const bytes = address.octets.slice(0, whole);
  const texts = Array.from({ length: count }, (_, index) =>
    [...bytes.slice(0, -1), (bytes.at(-1) ?? 0) + index].join("."),
  );
  return whole === 4 ? { ips: texts } : { ipPrefixes: texts.map((start) => `${start}.`) };
}
