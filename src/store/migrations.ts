import { SchemaVersionError } from "../core/errors.ts";

/** One step of a schema. Numbers are consecutive from 1; a step that was released never changes. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

/**
 * The steps that a database at `version` (the highest number applied to it, 0 for none) still needs, in order.
 *
 * @throws SchemaVersionError where the database is newer than this program.
 */
export function toPending(migrations: readonly Migration[], version: number): readonly Migration[] {
  if (version > migrations.length) {
    throw new SchemaVersionError(
      `the database has schema ${version}, this version of tokenpair knows ${migrations.length}: upgrade tokenpair`,
      { isNewer: true },
    );
  }
  return migrations.slice(version);
}

/** @throws SchemaVersionError where the database is older or newer than this program; the message says what to do. */
export function assertUpToDate(migrations: readonly Migration[], version: number): void {
  if (toPending(migrations, version).length > 0) {
    throw new SchemaVersionError(
      `the database has schema ${version}, this version of tokenpair needs ${migrations.length}: ` +
        "run `tokenpair migrate` or `await store.migrate()`",
    );
  }
}
