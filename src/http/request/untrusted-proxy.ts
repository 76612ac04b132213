import { isInNetworks, isPrivateAddress, parseAddress, parseNetwork, unixPeer } from "../../core/addresses.ts";
import type { Clock } from "../../core/runtime/clock.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { EventListener } from "../../events/events.ts";
import type { ConnectionInfo } from "./client-ip.ts";
import { type HeaderSource, readHeader } from "./headers.ts";

/** Emits an event if a request seems to come through a proxy that is not trusted. */
export type ReportUntrustedProxy = (headers: HeaderSource, connection: ConnectionInfo) => void;

interface ReporterDeps {
  readonly settings: Pick<Settings, "trustedProxies">;
  readonly clock: Pick<Clock, "now">;
  readonly emit: EventListener;
}

/**
 * Creates a reporter that emits `untrusted_proxy` once: for the first request that has a proxy's header and comes from a
 * private or loopback address that is not in `trustedProxies`. All clients behind such a proxy count as one. A request from
 * a public address is ignored, because the client probably added the header itself.
 */
export function createUntrustedProxyReporter({ settings, clock, emit }: ReporterDeps): ReportUntrustedProxy {
  const trusted = settings.trustedProxies.map(parseNetwork).filter((network) => network !== null);
  let isReported = false;
  return (headers, { ip }) => {
    if (isReported || ip === undefined) return;
    const header = findProxyHeader(headers);
    if (header === undefined) return;
    const address = parseAddress(ip);
    if (address === null || !isPrivateAddress(address) || isInNetworks(address, trusted)) return;
    isReported = true;
    emit({ type: "untrusted_proxy", time: clock.now(), ip: address.toString(), header });
  };
}

function findProxyHeader(headers: HeaderSource): string | undefined {
  if (readHeader(headers, "x-forwarded-for") !== undefined) return "X-Forwarded-For";
  return readHeader(headers, "forwarded") === undefined ? undefined : "Forwarded";
}

/** Emits an event if a request has no client address. `ip` is the address that was found. */
export type ReportUnknownAddress = (ip: string | undefined) => void;

/**
 * Creates a reporter that emits `client_address_unknown` once: for the first request through a unix socket for which no
 * trusted proxy says the client's address.
 */
export function createUnknownAddressReporter({ settings, clock, emit }: ReporterDeps): ReportUnknownAddress {
  let isReported = false;
  return (ip) => {
    if (isReported || ip !== unixPeer) return;
    isReported = true;
    const isTrusted = settings.trustedProxies.includes(unixPeer);
    emit({ type: "client_address_unknown", time: clock.now(), isTrusted });
  };
}
