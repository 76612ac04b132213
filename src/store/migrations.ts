import { SchemaVersionError } from "../core/errors.ts";

/** One step of a schema. Numbers are consecutive and start at 1. A step never changes after its release. */
export interface Migration {
  /** The schema's version after this step. */
  readonly number: number;
  /** The name that `migrate` returns, such as "0001_initial". */
  readonly name: string;
  /** A script of statements. */
  readonly sql: string;
}

/**
 * Returns the migrations that a database still needs, in the order in which they must be applied.
 *
 * @param version the number of the last migration that was applied to the database, or 0 if none was applied.
 * @throws SchemaVersionError if the database is newer than this version of tokenpair.
 */
export function toPending(migrations: readonly Migration[], version: number): readonly Migration[] {
  if (version > migrations.length) {
    throw new SchemaVersionError(
      `the database has schema ${version}, but this version of tokenpair only knows ${migrations.length}: ` +
        "upgrade tokenpair",
      { isNewer: true },
    );
  }
  return migrations.slice(version);
}

/**
 * Checks that the database has exactly the schema of this version of tokenpair.
 *
 * @param version the number of the last migration that was applied to the database, or 0 if none was applied.
 * @throws SchemaVersionError if the database is older or newer. The message says what to do.
 */
export function requireUpToDate(migrations: readonly Migration[], version: number): void {
  if (toPending(migrations, version).length > 0) {
    throw new SchemaVersionError(
      `the database has schema ${version}, but this version of tokenpair needs ${migrations.length}: ` +
        "run `tokenpair migrate` or `await store.migrate()`",
    );
  }
}
