import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP proxy that a test can break. It forwards everything that connects to `port` to another port. */
export interface TcpProxy {
  /** The port it listens on. */
  readonly port: number;
  /** Returns the URL with the proxy's port. */
  toUrl(url: string): string;
  /** Holds data back, in one direction or in both. Connections stay open, and new ones are accepted. */
  hold(what: "answers" | "everything"): void;
  /** Waits until `count` answers have been held back: what they acknowledge has been done. */
  heldAnswers(count: number): Promise<void>;
  /** Delays everything by this many milliseconds. */
  delay(milliseconds: number): void;
  /** Breaks every connection and refuses new ones. Held data is lost. */
  cut(): void;
  /** Ends every fault and forwards the held data. */
  mend(): void;
  /** Forwards new connections to this port. */
  lead(target: number): void;
  /** Breaks every connection and stops listening. */
  close(): Promise<void>;
}

/** One direction of a connection. */
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
  let currentTarget = target;
  let isCut = false;
  let delay = 0;
  let onHeld = () => {};

  function forward(kind: Lane["kind"], from: Socket, to: Socket): void {
    const lane: Lane = { kind, to, held: [] };
    lanes.add(lane);
    sockets.add(from);
    from.setNoDelay(true);
    from.on("error", () => {});
    from.on("data", (chunk) => {
      if (delay > 0) setTimeout(() => pass(lane, chunk), delay);
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
    const far = connect(currentTarget, "127.0.0.1");
    forward("requests", near, far);
    forward("answers", far, near);
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
      delay = milliseconds;
    },
    cut() {
      isCut = true;
      breakAll();
    },
    mend() {
      isCut = false;
      delay = 0;
      held.answers = false;
      held.requests = false;
      for (const lane of lanes) for (const chunk of lane.held.splice(0)) pass(lane, chunk);
    },
    lead(to) {
      currentTarget = to;
    },
    async close() {
      breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
