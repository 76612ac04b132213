import type { AddressInfo } from "node:net";

/** A server that listens, and the headers of the requests that it is to be sent. */
export interface Served {
  readonly port: number;
  readonly requests: readonly Headers[];
}

export type Headers = Readonly<Record<string, string>>;

/** Starts one server, on a port of the system's choice. */
export type Start = () => Promise<Served>;

/** The part of a server of `node:http` that `listen` needs. */
interface Listener {
  listen(port: number, host: string, listening: () => void): unknown;
  address(): AddressInfo | string | null;
}

export const host = "127.0.0.1";

/** What every route answers. */
export const answer = { hello: "world" };

export async function listen(server: Listener): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}
