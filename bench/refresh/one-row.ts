/** The one-row statement of a rotation, each in a transaction of its own: what there would be without group commit. */
import { execFile, execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { toBehaviour } from "../../src/store/postgres/connection/options.ts";
import { createStatements } from "../../src/store/postgres/connection/statement.ts";
import { rotateOne } from "../../src/store/postgres/rotate.ts";
import type { Contender } from "../harness/comparison.ts";
import { ip, toRotation, toSessionIdSql, toUserIdSql, userAgent } from "./crowd.ts";
import type { Refresh } from "./drive.ts";

/** Takes the generation as it finds it: pgbench keeps no account of what it has rotated. */
const anyGeneration = rotateOne.replace("generation = presented_generation", "generation >= presented_generation");
if (anyGeneration === rotateOne) throw new Error("the statement has changed, and this file has not");

/** By `pg`, on 16 connections. */
export function openLoop(url: string, schema: string): { readonly refresh: Refresh; end(): Promise<void> } {
  const pool = new pg.Pool({ connectionString: url, max: 16 });
  pool.on("error", () => {});
  const { toQuery } = createStatements(toBehaviour({ schema }));
  return {
    refresh: async (n) => {
      const { rowCount } = await pool.query(toQuery(anyGeneration, { ...toRotation(n, 0) }, 2_000));
      if (rowCount !== 1) throw new Error(`session ${n} was not rotated`);
    },
    end: () => pool.end(),
  };
}

/** Whether pgbench is installed. */
export function hasPgbench(): boolean {
  try {
    execFileSync("pgbench", ["--version"]);
    return true;
  } catch {
    return false;
  }
}

/** By pgbench, prepared, on as many connections as there are refreshes in flight; the time that connecting takes does not count. */
export function createPgbench(url: string, schema: string, folder: string, lane: number, sessions: number) {
  const file = join(folder, `${schema}.sql`);
  const statement = anyGeneration
    .replaceAll("tokenpair.", `${schema}.`)
    .replaceAll(":now::", "NULL::")
    .replaceAll(":idempotencyHash::", "NULL::")
    .replaceAll(":sessionId::text", `(${toSessionIdSql("(:n * 4 + :lane)::bigint")})`)
    .replaceAll(":userId::text", toUserIdSql("(:n * 4 + :lane)::bigint"));
  writeFileSync(file, `\\set n random(0, ${sessions / 4 - 1})\n${statement};\n`);
  const { userEpoch, generation, presentedHash, nextHash, salt, idleLifetime } = toRotation(0, 0);
  const variables = Object.entries({
    ...{ lane, userEpoch, generation, idleLifetime, userAgent, ip, lockTimeout: 2_000 },
    ...{ presentedHash: toHex(presentedHash), nextHash: toHex(nextHash), salt: toHex(salt) },
  }).flatMap(([name, value]) => ["-D", `${name}=${value}`]);

  return (inFlight: number): Contender =>
    async () => {
      const each = String(Math.max(50, Math.round(2_000 / inFlight)));
      const args = ["-n", "-M", "prepared", "-t", each, "-c", String(inFlight), "-f", file, ...variables, url];
      const { stdout } = await promisify(execFile)("pgbench", args);
      const rate = Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1]);
      if (!(rate > 0)) throw new Error(`pgbench says: ${stdout}`);
      return { "refreshes/s": rate };
    };
}

const toHex = (bytes: Uint8Array): string => `\\x${Buffer.from(bytes).toString("hex")}`;
