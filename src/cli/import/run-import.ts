import type { LegacyToken } from "../../core/store/legacy.ts";
import type { RevokedTokensAnswer } from "../../flows/legacy/revoke.ts";
import type { ForeignUser, ImportAnswer } from "../../flows/users/import-users.ts";

import type { Fields } from "./fields.ts";
import type { ImportRecord } from "./records.ts";
import { addIgnored, countOtherModel, type Refusal, type Tally } from "./report.ts";
import type { RevokedTokenReader } from "./revoked-tokens.ts";
import { toFieldNames, toForeignUser } from "./user-fields.ts";

/** The parts of an import. */
export interface ImportJob {
  readonly records: AsyncIterable<ImportRecord>;
  /** The name of the field that contains the username. */
  readonly usernameField: string;
  /** Imports a batch in one transaction. Returns one answer per user, in the order of the users. */
  readonly importUsers: (users: readonly ForeignUser[]) => Promise<readonly ImportAnswer[]>;
  /** Finds the revoked tokens in the records. */
  readonly revokedTokens: RevokedTokenReader;
  /** Stores a batch of revoked tokens in one transaction. */
  readonly importTokens: (tokens: readonly LegacyToken[]) => Promise<RevokedTokensAnswer>;
  /** Called for every refused record. */
  readonly onRefusal: (refusal: Refusal) => void;
  /** Called after every batch. */
  readonly onBatch: () => void;
}

/**
 * The number of rows per transaction. It is large because each commit is slow, but limited because other writers wait for
 * the locks.
 */
const batchSize = 500;

type Entry = Omit<Refusal, "reason"> & ({ readonly user: ForeignUser } | { readonly fault: string });

/** Imports all records in batches, and counts the results in `tally`. */
export async function runImport(job: ImportJob, tally: Tally): Promise<void> {
  let users: Entry[] = [];
  let tokens: LegacyToken[] = [];

  /** Imports the batches that have at least this size. */
  async function finishBatches(size: number): Promise<void> {
    if (users.length >= size) {
      await finishUsers(job, users, tally);
      users = [];
    }
    if (tokens.length >= size) {
      await finishTokens(job, tokens, tally);
      tokens = [];
    }
  }

  for await (const record of job.records) {
    const { line } = record;
    if ("otherModel" in record) countOtherModel(tally, record.otherModel);
    else if ("fault" in record) users.push({ line, id: null, fault: record.fault });
    else if ("fields" in record) users.push(toEntry(record, job.usernameField, tally));
    else {
      const answer = job.revokedTokens.read(record.token);
      if (answer !== null && "fault" in answer) users.push({ line, ...answer, id: toShownId(record.token.fields) });
      else if (answer !== null) tokens.push(answer);
    }
    await finishBatches(batchSize);
  }
  await finishBatches(1);
  finishRevokedTokens(job, tally);
}

function toEntry({ line, fields }: { line: number; fields: Fields }, usernameField: string, tally: Tally): Entry {
  const names = toFieldNames(fields, usernameField);
  const known = new Set(names.values());
  addIgnored(
    tally,
    [...fields.keys()].filter((name) => !known.has(name)),
  );
  const user = toForeignUser(fields, names);
  return { line, id: toShownId(fields), ...("fault" in user ? user : { user }) };
}

function toShownId(fields: Fields): string | null {
  const id = fields.get("id");
  return (typeof id === "string" || typeof id === "number" ? String(id).slice(0, 128) : null) || null;
}

async function finishUsers({ importUsers, onRefusal, onBatch }: ImportJob, batch: Entry[], tally: Tally) {
  const users = batch.flatMap((entry) => ("user" in entry ? [entry.user] : []));
  const answers = (users.length === 0 ? [] : await importUsers(users))[Symbol.iterator]();
  for (const entry of batch) {
    const answer = "user" in entry ? answers.next().value : { outcome: "refused" as const, reason: entry.fault };
    if (answer === undefined) throw new Error("importUsers returned fewer answers than users");
    tally[answer.outcome] += 1;
    if (answer.outcome === "refused") onRefusal({ line: entry.line, id: entry.id, reason: answer.reason });
  }
  onBatch();
}

async function finishTokens({ importTokens, onBatch }: ImportJob, batch: LegacyToken[], { tokens }: Tally) {
  const { stored, revokedSessions } = await importTokens(batch);
  tokens.stored += stored;
  tokens.same += batch.length - stored;
  tokens.revokedSessions += revokedSessions;
  onBatch();
}

function finishRevokedTokens({ revokedTokens, onRefusal }: ImportJob, tally: Tally): void {
  const { expired, missing, hasOutstanding } = revokedTokens.finish();
  tally.tokens.expired = expired;
  tally.tokens.missing = missing;
  if (missing === 0 || hasOutstanding) return;
  tally.refused += 1;
  onRefusal({ line: null, id: null, reason: "The file has no outstanding tokens. Dump token_blacklist as a whole." });
}
