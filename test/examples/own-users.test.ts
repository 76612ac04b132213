import { afterEach, describe, expect, it } from "vitest";
import { startPostgres } from "../support/postgres.ts";
import { post, toPair } from "../support/wire.ts";
import { importFrom, isInstalled, type RunningExample, startExample } from "./running.ts";

const ada = { username: "Ada", password: "correct horse battery staple" };

/** The parts of the drivers in examples/own-users that the tests need. */
interface Libsql {
  createClient(options: { readonly url: string }): { execute(statement: string): Promise<unknown>; close(): void };
}
interface Pg {
  readonly Client: new (
    url: string,
  ) => { connect(): Promise<void>; query(statement: string): Promise<unknown>; end(): Promise<void> };
}

/** A running example, and its table. */
interface OwnUsers extends RunningExample {
  readonly execute: (statement: string) => Promise<void>;
}

async function startOverSqlite(): Promise<OwnUsers> {
  const example = await startExample("own-users/sqlite.ts");
  const { createClient } = await importFrom<Libsql>("own-users", "@libsql/client");
  return {
    ...example,
    async execute(statement) {
      const client = createClient({ url: `file:${example.cwd}/data/members.db` });
      await client.execute(statement);
      client.close();
    },
  };
}

async function startOverPostgres(): Promise<OwnUsers> {
  const server = await startPostgres();
  const example = await startExample("own-users/postgres.ts", { DATABASE_URL: server.url });
  const { Client } = await importFrom<Pg>("own-users", "pg");
  return {
    ...example,
    async execute(statement) {
      const client = new Client(server.url);
      await client.connect();
      await client.query(statement);
      await client.end();
    },
    async stop() {
      await example.stop();
      await server.stop();
    },
  };
}

describe.skipIf(!isInstalled("own-users"))("the examples with a user table of their own", () => {
  let example: OwnUsers | undefined;
  afterEach(async () => {
    await example?.stop();
    example = undefined;
  });

  it.each([
    ["sqlite", startOverSqlite],
    ["postgres", startOverPostgres],
  ])(
    "%s signs members up, has their roles in the claims, and applies a new role and a deactivation",
    async (name, start) => {
      example = await start();
      const { url, execute } = example;
      const signUp = (body: object) => post(`${url}/sign-up`, body);
      expect((await signUp({ ...ada, password: "ada 123" })).body).toEqual({
        password: [expect.stringMatching(/too short/)],
      });
      expect((await signUp({ ...ada, password: 5 })).status).toBe(400);
      expect((await signUp(ada)).status).toBe(201);
      expect((await signUp({ ...ada, username: " ada " })).body).toEqual({ username: ["This username is taken."] });

      expect((await post(`${url}/api/token/`, { ...ada, password: "another password" })).status).toBe(401);
      expect((await post(`${url}/api/token/`, { ...ada, username: "bob" })).status).toBe(401);
      const reader = toPair(await post(`${url}/api/token/`, ada));
      const readDrafts = async (access?: string) => {
        const headers = access === undefined ? {} : { Authorization: `Bearer ${access}` };
        const response = await fetch(`${url}/drafts`, { headers });
        return `${response.status} ${await response.text()}`;
      };
      expect(await readDrafts()).toMatch(/^401 /);
      expect(await readDrafts(reader.access)).toBe(
        '403 {"detail":"Only for the role editor.","code":"permission_denied"}',
      );

      await execute("UPDATE members SET role = 'editor'");
      const editor = toPair(await post(`${url}/api/token/refresh/`, { refresh: reader.refresh }));
      expect(await readDrafts(editor.access)).toBe("200 drafts");

      // A hash of the same password that Django made.
      await execute("UPDATE members SET hash = 'pbkdf2_sha1$1000$abcdefghijklmnopqrstuv$pPaxJdc/I8uPjvkfuFn3JbjEDOw='");
      expect((await post(`${url}/api/token/`, ada)).status).toBe(200);
      await execute("UPDATE members SET hash = '' WHERE hash LIKE 'pbkdf2%'");
      expect((await post(`${url}/api/token/`, ada)).status).toBe(200);

      await execute('UPDATE members SET "isActive" = false');
      expect((await post(`${url}/api/token/`, ada)).status).toBe(401);
      expect((await post(`${url}/api/token/refresh/`, { refresh: editor.refresh })).status).toBe(401);
      console.log(`examples: own-users over ${name}: sign-up, roles, upgraded hashes, a deactivated member`);
    },
  );
});
