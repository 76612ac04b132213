import type { ForeignUser, ImportAnswer } from "../../flows/import-users.ts";
import type { Fields, UserRecord } from "./records.ts";
import { addIgnored, countOtherModel, type Refusal, type Tally } from "./report.ts";
import { toFieldNames, toForeignUser } from "./user-fields.ts";

/** An import. */
export interface ImportJob {
  readonly records: AsyncIterable<UserRecord>;
  /** The field that holds the username. */
  readonly usernameField: string;
  /** Imports a batch in one transaction. Returns one answer per user, in order. */
  readonly importUsers: (users: readonly ForeignUser[]) => Promise<readonly ImportAnswer[]>;
  /** Called for every refused record. */
  readonly onRefusal: (refusal: Refusal) => void;
  /** Called after every batch. */
  readonly onBatch: () => void;
}

/** Users per transaction: many, because each commit is slow, but few, because other writers wait for its locks. */
const batchSize = 500;

type Entry = Omit<Refusal, "reason"> & ({ readonly user: ForeignUser } | { readonly fault: string });

/** Imports all records in batches, and counts the results in `tally`. */
export async function runImport(job: ImportJob, tally: Tally): Promise<void> {
  let batch: Entry[] = [];
  for await (const record of job.records) {
    if ("otherModel" in record) {
      countOtherModel(tally, record.otherModel);
      continue;
    }
    batch.push("fault" in record ? { ...record, id: null } : toEntry(record, job.usernameField, tally));
    if (batch.length < batchSize) continue;
    await finishBatch(job, batch, tally);
    batch = [];
  }
  if (batch.length > 0) await finishBatch(job, batch, tally);
}

function toEntry({ line, fields }: { line: number; fields: Fields }, usernameField: string, tally: Tally): Entry {
  const names = toFieldNames(fields, usernameField);
  const known = new Set(names.values());
  addIgnored(
    tally,
    [...fields.keys()].filter((name) => !known.has(name)),
  );
  const id = fields.get("id");
  const shownId = typeof id === "string" || typeof id === "number" ? String(id).slice(0, 128) : null;
  const user = toForeignUser(fields, names);
  return { line, id: shownId || null, ...("fault" in user ? user : { user }) };
}

async function finishBatch({ importUsers, onRefusal, onBatch }: ImportJob, batch: Entry[], tally: Tally) {
  const users = batch.flatMap((entry) => ("user" in entry ? [entry.user] : []));
  const answers = (await importUsers(users))[Symbol.iterator]();
  for (const entry of batch) {
    const answer = "user" in entry ? answers.next().value : { outcome: "refused" as const, reason: entry.fault };
    if (answer === undefined) throw new Error("importUsers returned fewer answers than users");
    tally[answer.outcome] += 1;
    if (answer.outcome === "refused") onRefusal({ line: entry.line, id: entry.id, reason: answer.reason });
  }
  onBatch();
}
