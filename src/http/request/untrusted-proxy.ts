import { isInNetworks, isPrivateAddress, parseAddress, parseNetwork } from "../../core/addresses.ts";
import type { HttpDeps } from "../endpoint.ts";
import { type HeaderSource, readHeader, toLowerCase } from "./headers.ts";

/** Looks at a request's headers and the address at the other end of its socket. */
export type ProxyWatch = (headers: HeaderSource, socketAddress: string | undefined) => void;

const headersOfProxies = ["X-Forwarded-For", "Forwarded"];

/**
 * Tells once of a neighbour that sends a proxy's header and is none of `trustedProxies`, since all clients behind it share
 * one allowance of logins. An address of the internet that does so is a client who tries it on, and no news.
 */
export function createProxyWatch({ settings, clock, emit }: Pick<HttpDeps, "settings" | "clock" | "emit">): ProxyWatch {
  const trusted = settings.trustedProxies.map(parseNetwork).filter((network) => network !== null);
  let isTold = false;
  return (headers, socketAddress) => {
    if (isTold || socketAddress === undefined) return;
    const header = headersOfProxies.find((name) => readHeader(headers, toLowerCase(name)) !== undefined);
    if (header === undefined) return;
    const address = parseAddress(socketAddress);
    if (address === null || !isPrivateAddress(address) || isInNetworks(address, trusted)) return;
    isTold = true;
    emit({ type: "untrusted_proxy", time: clock.now(), ip: address.toString(), header });
  };
}
