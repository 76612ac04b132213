import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { PostgresConnection } from "../connection/connection.ts";
import type { PostgresListenClient } from "../connection/driver.ts";
import { toReason } from "../connection/errors.ts";

/** Whether notifications arrive on the LISTEN connection. */
export interface ListenState {
  /**
   * `delivered`: notifications arrive. `lost`: a notification didn't arrive, because the connection goes through a proxy
   * that pools transactions. `failed`: the connection failed. `off`: the store has no LISTEN connection.
   */
  readonly state: "delivered" | "lost" | "failed" | "off";
  /** Why the connection failed. It never contains a password. */
  readonly reason?: string;
}

/** How long to wait for the notification, in milliseconds. */
const timeout = 5_000;

/**
 * Listens on a channel that no other client uses, and sends a notification to it. A proxy that pools transactions accepts
 * LISTEN, but then gives the listening server connection to other clients.
 */
export async function probeListen(
  connection: PostgresConnection,
  createListenClient: (() => PostgresListenClient) | null,
): Promise<ListenState> {
  if (createListenClient === null) return { state: "off" };
  const channel = `tokenpair_probe_${randomBytes(8).toString("hex")}`;
  const waiting = new AbortController();
  let client: PostgresListenClient | null = null;
  try {
    client = createListenClient();
    client.on("error", () => {});
    const delivered = new Promise<"delivered">((deliver) => client?.on("notification", () => deliver("delivered")));
    await client.connect();
    await client.query({ text: `LISTEN "${channel}"` });
    await connection.run("probeListen", "SELECT pg_notify(:channel, '')", { channel });
    const state = await Promise.race([delivered, setTimeout(timeout, "lost" as const, { signal: waiting.signal })]);
    return { state };
  } catch (error) {
    return { state: "failed", reason: toReason(error) };
  } finally {
    waiting.abort();
    client?.end().catch(() => {});
  }
}
