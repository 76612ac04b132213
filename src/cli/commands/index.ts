import type { Command } from "commander";
import type { Context } from "../context.ts";
import { addAudit } from "./audit.ts";
import { addBackup } from "./backup.ts";
import { addDoctor } from "./doctor.ts";
import { addFlushExpiredTokens } from "./flushexpiredtokens.ts";
import { addInit } from "./init.ts";
import { addKeys } from "./keys.ts";
import { addMigrate } from "./migrate.ts";
import { addServe } from "./serve.ts";
import { addServices } from "./services.ts";
import { addSessions } from "./sessions.ts";
import { addUsers } from "./users.ts";

/** Adds the commands that use a database. */
export function addDatabaseCommands(program: Command, context: Context): void {
  addInit(program, context);
  addServe(program, context);
  addMigrate(program, context);
  addUsers(program, context);
  addSessions(program, context);
  addKeys(program, context);
  addServices(program, context);
  addAudit(program, context);
  addFlushExpiredTokens(program, context);
  addBackup(program, context);
  addDoctor(program, context);
}
