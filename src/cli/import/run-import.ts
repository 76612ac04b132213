import type { ForeignUser, ImportAnswer } from "../../flows/import-users.ts";
import type { Fields, UserRecord } from "./records.ts";
import { countOtherModel, noteIgnored, type Refusal, type Tally } from "./report.ts";
import { toFieldNames, toForeignUser } from "./user-fields.ts";

/** An import, whatever it comes from and goes to. */
export interface ImportJob {
  readonly records: AsyncIterable<UserRecord>;
  readonly usernameField: string;
  /** Takes a batch, and answers for each of its users, in order. */
  readonly importUsers: (users: readonly ForeignUser[]) => Promise<readonly ImportAnswer[]>;
  readonly onRefusal: (refusal: Refusal) => void;
  readonly onBatch: () => void;
}

/** Users in one transaction: enough that its cost is shared, few enough that nobody waits long for its locks. */
const batchSize = 500;

type Entry = Omit<Refusal, "reason"> & ({ readonly user: ForeignUser } | { readonly fault: string });

/** Imports all records, batch after batch, and counts in `tally`. */
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
  noteIgnored(
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
    if (answer === undefined) throw new Error("an import answered for fewer users than it was given");
    tally[answer.outcome] += 1;
    if (answer.outcome === "refused") onRefusal({ line: entry.line, id: entry.id, reason: answer.reason });
  }
  onBatch();
}
