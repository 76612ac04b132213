import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A process that runs a file of this folder and answers each message with one. */
export interface Child {
  /** The next message of the process, after it was sent `message`, if one is given. @throws Error where it ends instead. */
  ask<T>(message?: object): Promise<T>;
  /** Hands over every message from now on, until what it returns is called. */
  listen<T>(hear: (message: T) => void): () => void;
  stop(): Promise<void>;
  /** Kills the process, as a power cut would. */
  kill(): Promise<void>;
}

export function startChild(file: string, ...args: readonly string[]): Child {
  const child = fork(join(import.meta.dirname, file), args, { env: { ...process.env, NODE_ENV: "production" } });
  return {
    async ask<T>(message?: object): Promise<T> {
      const answer = nextMessage(child, `${file} ${args.join(" ")}`);
      if (message !== undefined) child.send(message);
      return (await answer) as T;
    },
    listen<T>(hear: (message: T) => void) {
      const listener = (message: unknown) => hear(message as T);
      child.on("message", listener);
      return () => void child.off("message", listener);
    },
    async stop() {
      if (child.exitCode !== null) return;
      child.disconnect();
      await once(child, "exit");
    },
    async kill() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

function nextMessage(child: ChildProcess, what: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error(`${what} has ended`));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      resolve(message);
    });
  });
}
