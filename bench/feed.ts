/**
 * What readers of the revocation feed cost the issuer, and how fast a revocation reaches the last of them: streams over HTTP,
 * without TLS, from one process to another on the same machine. Then the same without HTTP.
 */
import { setTimeout } from "node:timers/promises";
import { measureInProcess } from "./feed/in-process.ts";
import type { Arrivals } from "./feed/readers.ts";
import type { Issuer, Question, Revoked, Usage } from "./feed/serve.ts";
import type { Harness } from "./harness/harness.ts";
import { toFigure } from "./harness/markdown.ts";
import { quantile } from "./harness/statistics.ts";
import { type Child, startChild } from "./http/child.ts";

const megabyte = 1e6;

/** What is wanted of so many streams, in MB and milliseconds. */
const wanted = [
  { streams: 1_000, memory: 60, last: 250 },
  { streams: 5_000, memory: null, last: 1_000 },
];

export async function run(harness: Harness): Promise<void> {
  const rows: string[][] = [];
  const goals: (() => void)[] = [];
  for (const { streams, memory, last } of wanted) {
    const size = harness.quick ? streams / 5 : streams;
    const measured = await measureStreams(size, harness.quick ? 10 : 50);
    rows.push([size.toLocaleString("en"), ...measured.row]);
    if (harness.quick) continue;
    const name = `${size.toLocaleString("en")} streams`;
    if (memory !== null)
      goals.push(() => harness.goal(`${name}: ${memory} MB / the memory that they hold`, memory / measured.held, 1));
    goals.push(() =>
      harness.goal(`${name}: ${last} ms / the time until the last one has a revocation`, last / measured.last, 1),
    );
  }
  harness.table(
    "Streams over HTTP: from the commit of a revocation until the readers have it",
    ["streams", "MB held", "MB at most", "p50 ms", "p99 ms", "last ms", "slowest last ms", "CPU ms a revocation"],
    rows,
  );
  for (const goal of goals) goal();
  await measureFullFrames(harness);
  await measureIdle(harness);
  await measureInProcess(harness, harness.quick ? [200, 1_000] : [1_000, 5_000]);
}

const ask = <T>(issuer: Child, question: Question) => issuer.ask<T>({ question });

async function withIssuer<T>(records: number, measure: (issuer: Child, args: Issuer) => Promise<T>): Promise<T> {
  const issuer = startChild("../feed/serve.ts", String(records));
  try {
    return await measure(issuer, await issuer.ask<Issuer>());
  } finally {
    await issuer.stop();
  }
}

const startReaders = ({ port, credential }: Issuer, count: number, mode: "read" | "idle") =>
  startChild("../feed/readers.ts", String(port), credential, String(count), mode);

async function measureStreams(size: number, rounds: number) {
  return withIssuer(1_000, async (issuer, args) => {
    const warming = startReaders(args, 10, "read");
    await warming.ask<Arrivals>();
    await warming.stop();
    const before = await ask<Usage>(issuer, "usage");
    const readers = startReaders(args, size, "read");
    await readers.ask<Arrivals>();
    const settled = await ask<Usage>(issuer, "usage");
    const delays: number[][] = [];
    let cpu = 0;
    let peak = 0;
    for (let round = 0; round < rounds; round++) {
      const start = await ask<Usage>(issuer, "peak");
      const arriving = readers.ask<Arrivals>({});
      const { at } = await ask<Revoked>(issuer, "revoke");
      const { times } = await arriving;
      const end = await ask<Usage>(issuer, "peak");
      peak = Math.max(peak, end.resident);
      cpu += (end.cpu - start.cpu) / 1e3 / rounds;
      delays.push(times.map((time) => time - at));
    }
    await readers.stop();
    const lasts = delays.map((each) => each.at(-1) as number).sort((a, b) => a - b);
    const all = delays.flat().sort((a, b) => a - b);
    const held = (settled.resident - before.resident) / megabyte;
    const memory = (peak - before.resident) / megabyte;
    const last = quantile(lasts, 0.5);
    const figures = [held, memory, quantile(all, 0.5), quantile(all, 0.99), last, quantile(lasts, 1), cpu];
    return { row: figures.map(toFigure), held, last };
  });
}

/** As after a restart of the issuer, if the readers had no cursor. */
async function measureFullFrames(harness: Harness): Promise<void> {
  const [records, streams] = harness.quick ? [20_000, 200] : [215_000, 1_000];
  const row = await withIssuer(records, async (issuer, args) => {
    const before = await ask<Usage>(issuer, "usage");
    const startedAt = performance.now();
    const readers = startReaders(args, streams, "read");
    await readers.ask<Arrivals>();
    const ms = performance.now() - startedAt;
    const { resident } = await ask<Usage>(issuer, "peak");
    await readers.stop();
    const sent = (records * streams * 16) / megabyte;
    return [sent, ms, (resident - before.resident) / megabyte].map(toFigure);
  });
  const title = `${streams.toLocaleString("en")} full frames of ${records.toLocaleString("en")} records at once`;
  harness.table(title, ["", "MB sent", "ms", "MB more at most"], [["readers without a cursor", ...row]]);
}

/** Readers that never read: what they hold, and until when. */
async function measureIdle(harness: Harness): Promise<void> {
  // So many that a frame doesn't fit into the buffers of the operating system.
  const records = harness.quick ? 20_000 : 600_000;
  const streams = 100;
  const row = await withIssuer(records, async (issuer, args) => {
    const before = await ask<Usage>(issuer, "usage");
    const readers = startReaders(args, streams, "idle");
    await readers.ask<Arrivals>();
    const rounds = harness.quick ? 20 : 100;
    for (let round = 0; round < rounds; round++) {
      await ask<Revoked>(issuer, "revoke");
      await setTimeout(50);
    }
    const { resident } = await ask<Usage>(issuer, "peak");
    // Longer than their lease and a margin.
    if (!harness.quick) await setTimeout(20_000);
    const { connections } = await ask<Usage>(issuer, "usage");
    await readers.stop();
    return [(resident - before.resident) / megabyte, connections].map(toFigure);
  });
  const after = harness.quick ? "a second later" : "25 s later";
  harness.table(
    `${streams} readers that read nothing, among ${records.toLocaleString("en")} records`,
    ["", "MB more at most", `connections ${after}`],
    [["full frames", ...row]],
  );
}
