import type { StaffAuditEntry } from "../../staff/api.ts";
import { readEvents } from "./event-source.ts";
import type { StaffApi } from "./staff-api.ts";
import { StaffError } from "./staff-error.ts";

/** Whether new entries of the audit log arrive. */
export type LiveState = "connecting" | "live" | "paused";

/** The one stream of a tab. */
export interface Live {
  state(): LiveState;
  /** Calls `listener` after every change of the state. Returns a function that removes it. */
  onState(listener: () => void): () => void;
  /** Calls `listener` with every new entry. Returns a function that removes it. */
  onEntry(listener: (entry: StaffAuditEntry) => void): () => void;
  /** Opens the stream while the page is visible. Returns a function that closes it. */
  start(): () => void;
}

/** The options of `createLive`. */
export interface LiveOptions {
  readonly api: StaffApi;
  /** Called when the server has closed the stream because the session ended, or the role. */
  readonly onClosed: () => void;
}

/** How long to wait before another try, in milliseconds. */
const pauses = [500, 2_000, 5_000, 15_000];

/** Creates the stream of new audit entries. A lost connection continues after the last entry that arrived. */
export function createLive({ api, onClosed }: LiveOptions): Live {
  let state: LiveState = "paused";
  let lastId: string | undefined;
  const stateListeners = new Set<() => void>();
  const entryListeners = new Set<(entry: StaffAuditEntry) => void>();

  function setState(next: LiveState): void {
    if (state === next) return;
    state = next;
    for (const listener of [...stateListeners]) listener();
  }

  /** Reads until the stream ends. Returns whether the server ended it for good. */
  async function read(signal: AbortSignal): Promise<boolean> {
    const headers = lastId === undefined ? {} : { "Last-Event-ID": lastId };
    const response = await api.open("audit/stream/", {}, { signal, headers });
    if (response.body === null) return false;
    setState("live");
    for await (const { event, data, id } of readEvents(response.body)) {
      lastId = id ?? lastId;
      if (event === "closed") return true;
      if (event !== "entry") continue;
      const entry = JSON.parse(data) as StaffAuditEntry;
      for (const listener of [...entryListeners]) listener(entry);
    }
    return false;
  }

  async function run(signal: AbortSignal): Promise<void> {
    for (let tries = 0; !signal.aborted; tries += 1) {
      setState("connecting");
      const began = Date.now();
      try {
        if (await read(signal)) {
          onClosed();
          return;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof StaffError && (error.status === 401 || error.status === 403)) {
          onClosed();
          return;
        }
      }
      if (signal.aborted) return;
      setState("paused");
      if (Date.now() - began > 30_000) tries = 0;
      await pause(pauses[Math.min(tries, pauses.length - 1)] ?? 15_000, signal);
    }
  }

  return {
    state: () => state,
    onState(listener) {
      stateListeners.add(listener);
      return () => stateListeners.delete(listener);
    },
    onEntry(listener) {
      entryListeners.add(listener);
      return () => entryListeners.delete(listener);
    },
    start() {
      let controller: AbortController | undefined;
      const follow = () => {
        if (document.visibilityState === "hidden") {
          controller?.abort();
          controller = undefined;
          setState("paused");
        } else if (controller === undefined) {
          controller = new AbortController();
          void run(controller.signal);
        }
      };
      document.addEventListener("visibilitychange", follow);
      follow();
      return () => {
        document.removeEventListener("visibilitychange", follow);
        controller?.abort();
        setState("paused");
      };
    },
  };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
