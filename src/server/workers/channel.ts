import type { Schedule, Timer } from "../../core/runtime/schedule.ts";

/** What one process asks another. */
export type Question = "health" | "metrics";

/** Answers the questions of the other process. The answer must survive `JSON.stringify`. */
export type Answers = Partial<Readonly<Record<Question, () => Promise<unknown>>>>;

/** The options of `createChannel`. */
export interface ChannelOptions {
  /** Sends a message to the other process. Does nothing if that process has ended. */
  readonly send: (message: object) => void;
  readonly answers: Answers;
  readonly schedule: Schedule;
}

/** Questions and answers between two processes that can send each other messages. */
export interface Channel {
  /**
   * Asks the other process.
   *
   * @throws Error if it has ended, fails, or doesn't answer within 10 seconds.
   */
  ask(question: Question): Promise<unknown>;
  /** Handles a message from the other process. Ignores messages that don't belong to the channel. */
  receive(message: unknown): void;
  /** Rejects all questions that wait, because the other process has ended. */
  close(): void;
}

/** How long a question may wait for its answer, in milliseconds. */
const answerTimeout = 10_000;

type Message =
  | { readonly ask: Question; readonly id: number }
  | { readonly answer: unknown; readonly id: number }
  | { readonly failure: true; readonly id: number };

/** Creates one end of a channel. */
export function createChannel({ send, answers, schedule }: ChannelOptions): Channel {
  const waiting = new Map<number, (message: Message | null) => void>();
  let lastId = 0;
  let isClosed = false;

  async function answer({ ask, id }: { readonly ask: Question; readonly id: number }): Promise<void> {
    const answering = (async () => answers[ask]?.())();
    send(
      await answering.then(
        (value) => ({ answer: value ?? null, id }),
        () => ({ failure: true, id }),
      ),
    );
  }

  return Object.freeze({
    ask(question: Question) {
      return new Promise<unknown>((resolve, reject) => {
        lastId += 1;
        const id = lastId;
        const settle = (message: Message | null) => {
          timer.cancel();
          waiting.delete(id);
          if (message !== null && "answer" in message) resolve(message.answer);
          else reject(new Error("the other process does not answer"));
        };
        const timer: Timer = schedule(() => settle(null), answerTimeout);
        waiting.set(id, settle);
        if (isClosed) settle(null);
        else send({ ask: question, id });
      });
    },
    receive(message: unknown) {
      if (!isMessage(message)) return;
      if ("ask" in message) void answer(message);
      else waiting.get(message.id)?.(message);
    },
    close() {
      isClosed = true;
      for (const settle of [...waiting.values()]) settle(null);
    },
  });
}

function isMessage(message: unknown): message is Message {
  return typeof message === "object" && message !== null && "id" in message && typeof message.id === "number";
}
