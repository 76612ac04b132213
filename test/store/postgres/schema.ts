import pg from "pg";

/** The schema of a store, which each test finds as a migration leaves it. */
export interface EmptySchema {
  readonly name: string;
  /** The first time, migrates with `migrate`. After that, deletes what the tests have written, which is faster. */
  empty(url: string, migrate: () => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

/** Creates the schema `name` as soon as `empty` is called. */
export function createEmptySchema(name: string): EmptySchema {
  let client: pg.Client | null = null;
  let reset = "";
  return {
    name,
    async empty(url, migrate) {
      if (client === null) {
        client = new pg.Client(url);
        await client.connect();
        await migrate();
        reset = await toReset(client, name);
      } else await client.query(reset);
    },
    close: async () => client?.end(),
  };
}

/** Returns the statements that bring every table and sequence back to its present content. */
async function toReset(client: pg.Client, schema: string): Promise<string> {
  const read = async (text: string) => (await client.query<{ readonly sql: string }>(text, [schema])).rows;
  const tables = await read(
    "SELECT format('%I.%I', schemaname, tablename) AS sql FROM pg_tables WHERE schemaname = $1",
  );
  const sequences = await read(
    "SELECT format('SELECT setval(%L, %s, false)', format('%I.%I', schemaname, sequencename), start_value) AS sql " +
      "FROM pg_sequences WHERE schemaname = $1",
  );
  const statements: string[] = [];
  for (const { sql: table } of tables) {
    const { rows } = await client.query(`SELECT coalesce(json_agg(t), '[]')::text AS content FROM ${table} AS t`);
    const { content } = rows[0] as { readonly content: string };
    statements.push(`DELETE FROM ${table}`);
    if (content !== "[]") {
      const records = `json_populate_recordset(NULL::${table}, ${client.escapeLiteral(content)})`;
      statements.push(`INSERT INTO ${table} SELECT * FROM ${records}`);
    }
  }
  return [...statements, ...sequences.map(({ sql }) => sql)].join(";\n");
}
