import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach } from "vitest";
import type { Store } from "../../../src/core/store/index.ts";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";

/** A path for a database file. Each test gets a new folder, which is removed after it. */
export interface DatabaseFile {
  /** The folder that holds the file alone. */
  folder: string;
  /** The file's path. The file itself doesn't exist yet. */
  path: string;
  /** Runs `sql` on a connection of its own, as another program would. */
  execute(sql: string): void;
  /** Opens a migrated store on the file. */
  openMigrated(options?: { readonly busyTimeout?: number }): Promise<Store>;
}

/** Provides a `DatabaseFile` for each test of the calling file. */
export function provideDatabaseFile(): DatabaseFile {
  const file: DatabaseFile = {
    folder: "",
    path: "",
    execute(sql) {
      const database = new DatabaseSync(file.path);
      database.exec(sql);
      database.close();
    },
    async openMigrated(options = {}) {
      const store = sqliteStore({ path: file.path, ...options });
      await store.migrate();
      return store;
    },
  };
  beforeEach(() => {
    file.folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
    file.path = join(file.folder, "tokenpair.db");
  });
  afterEach(() => rmSync(file.folder, { recursive: true, force: true }));
  return file;
}
