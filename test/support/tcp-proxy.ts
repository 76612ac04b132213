import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A wire that a test can break: everything that connects to `port` is carried to another port, as long as it is let. */
export interface TcpProxy {
  readonly port: number;
  /** The same address, through the proxy. */
  toUrl(url: string): string;
  /** From now on, nothing arrives, in one direction or in both; connections stay open, and new ones are accepted. */
  hold(what: "answers" | "everything"): void;
  /** Fulfils once `count` answers have been held back: whatever they acknowledge has been done. */
  heldAnswers(count: number): Promise<void>;
  /** Everything arrives this many milliseconds late. */
  delay(milliseconds: number): void;
  /** Breaks every connection and refuses new ones. What was held is lost. */
  cut(): void;
  /** The wire is whole again; what was held arrives. */
  mend(): void;
  /** From now on, new connections lead to this port. */
  lead(target: number): void;
  close(): Promise<void>;
}

/** Half a connection: what comes from one end for the other. */
interface Lane {
  readonly kind: "requests" | "answers";
  readonly to: Socket;
  readonly held: Buffer[];
}

/** Starts a proxy on a free port of the loopback interface. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const lanes = new Set<Lane>();
  const sockets = new Set<Socket>();
  const held: Record<Lane["kind"], boolean> = { requests: false, answers: false };
  let leadsTo = target;
  let isCut = false;
  let lateness = 0;
  let onHeld = () => {};

  function carry(kind: Lane["kind"], from: Socket, to: Socket): void {
    const lane: Lane = { kind, to, held: [] };
    lanes.add(lane);
    sockets.add(from);
    from.setNoDelay(true);
    from.on("error", () => {});
    from.on("data", (chunk) => {
      if (lateness > 0) setTimeout(() => pass(lane, chunk), lateness);
      else pass(lane, chunk);
    });
    from.on("close", () => {
      lanes.delete(lane);
      sockets.delete(from);
      to.destroy();
    });
  }

  function pass(lane: Lane, chunk: Buffer): void {
    if (held[lane.kind]) {
      lane.held.push(chunk);
      onHeld();
    } else if (!lane.to.destroyed) lane.to.write(chunk);
  }

  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(leadsTo, "127.0.0.1");
    carry("requests", near, far);
    carry("answers", far, near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  function breakAll(): void {
    for (const socket of sockets) socket.destroy();
  }

  const { port } = server.address() as AddressInfo;
  return {
    port,
    toUrl: (url) => url.replace(/(?<=[@/]127\.0\.0\.1:)\d+/, String(port)),
    hold(what) {
      held.answers = true;
      held.requests = what === "everything";
    },
    heldAnswers: (count) =>
      new Promise((resolve) => {
        onHeld = () => {
          const answers = [...lanes].filter((lane) => lane.kind === "answers" && lane.held.length > 0);
          if (answers.length >= count) resolve();
        };
        onHeld();
      }),
    delay(milliseconds) {
      lateness = milliseconds;
    },
    cut() {
      isCut = true;
      breakAll();
    },
    mend() {
      isCut = false;
      lateness = 0;
      held.answers = false;
      held.requests = false;
      for (const lane of lanes) for (const chunk of lane.held.splice(0)) pass(lane, chunk);
    },
    lead(to) {
      leadsTo = to;
    },
    async close() {
      breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
