import { execFile } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { createFolder } from "../server/folder.ts";
import { childEnvironment } from "../support/child-environment.ts";
import { hasLongTests } from "../support/long-tests.ts";
import { currentMain, type ServerProcess, startServer } from "../support/server-process.ts";
import { type Pair, post, postRefresh, toPair } from "../support/wire.ts";
import { type DjangoProject, findDjango, startDjango } from "./django.ts";

const execute = promisify(execFile);
const password = "correct horse battery staple";
const installation = hasLongTests ? findDjango() : null;
if (installation !== null) console.log(`django: ${installation.version}`);
else if (hasLongTests) console.log("django: skipped, because Django or simplejwt is not installed");

/** How many users move, each with two devices. */
const users = Number(process.env["TOKENPAIR_CUT_OVER_USERS"] ?? 20);
/** How often each device refreshes at tokenpair. */
const rounds = Number(process.env["TOKENPAIR_CUT_OVER_ROUNDS"] ?? 3);
/** Milliseconds between two refreshes of a device: all of them together refresh some hundred times a second. */
const pause = Math.max(50, users * 5);

/** A client that was written for simplejwt: it keeps the refresh token of the last answer. */
interface Device {
  readonly username: string;
  pair: Pair;
}

/** A Django project and the folder of the tokenpair that replaces it. */
interface Move {
  readonly django: DjangoProject;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly names: readonly string[];
}

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** Starts a Django project with users, and prepares the settings of tokenpair. */
async function prepare(settings: Readonly<Record<string, string>>, legacyKey: string): Promise<Move> {
  if (installation === null) throw new Error("Django is not installed");
  const folder = createFolder();
  const django = await startDjango(installation, folder, settings);
  onTestFinished(django.stop);
  const names = Array.from({ length: users }, (_, n) => `user${n}`);
  await django.run("create_users", JSON.stringify(names), password);
  writeFileSync(join(folder, "django.key"), `${legacyKey}\n`, { mode: 0o600 });
  const env = {
    TOKENPAIR_LEGACY_REFRESH_KEY_FILE: "django.key",
    TOKENPAIR_LEGACY_REFRESH_UNTIL: inDays(20),
    TOKENPAIR_REFRESH_LIMIT: "0",
  };
  return { django, folder, env, names };
}

async function serve({ folder, env }: Move): Promise<ServerProcess> {
  const server = await startServer({ cwd: folder, env });
  onTestFinished(server.stop);
  return server;
}

/** Dumps Django's users and blacklist, and imports them. @returns what the import says. */
async function moveData({ django, folder, env }: Move): Promise<Record<string, unknown>> {
  writeFileSync(join(folder, "dump.json"), await django.run("dumpdata", "auth.user", "token_blacklist"), {
    mode: 0o600,
  });
  const command = [currentMain, "users", "import", "dump.json", "--json"];
  const { stdout } = await execute(process.execPath, command, { cwd: folder, env: { ...childEnvironment, ...env } });
  return JSON.parse(stdout) as Record<string, unknown>;
}

const logIn = async (url: string, username: string): Promise<Device> => ({
  username,
  pair: toPair(await post(`${url}/api/token/`, { username, password })),
});

async function refreshOnce(url: string, device: Device): Promise<void> {
  const answer = await postRefresh(url, device.pair.refresh);
  if (answer.status !== 200) throw new Error(`${device.username} was logged out: ${JSON.stringify(answer)}`);
  device.pair = toPair(answer);
}

async function readMe(url: string, token: string): Promise<number> {
  return (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).status;
}

describe.skipIf(installation === null)("the move from a Django project with simplejwt", { timeout: 300_000 }, () => {
  it("logs out nobody, keeps blacklisted tokens dead, and shares the key for access tokens alone", async () => {
    const secret = randomBytes(48).toString("base64url");
    // Both sign access tokens with one key: Django's other views accept those of tokenpair.
    const move = await prepare({ DJANGO_SECRET_KEY: secret }, secret);
    const { django, folder, names } = move;
    writeFileSync(join(folder, "signing.key"), secret, { mode: 0o600 });
    const env = { ...move.env, TOKENPAIR_SIGNING_KEY_FILE: "signing.key" };

    // Users log in at Django, each on two devices, and refresh there.
    const devices: Device[] = [];
    for (const name of [...names, ...names]) devices.push(await logIn(django.url, name));
    const spent = devices.map(({ pair, username }) => ({ refresh: pair.refresh, username }));
    for (const device of devices) await refreshOnce(django.url, device);
    const loggedOut = await logIn(django.url, "user0");
    expect((await post(`${django.url}/api/token/blacklist/`, { refresh: loggedOut.pair.refresh })).status).toBe(200);
    const away = await logIn(django.url, "user1");
    const leaving = names.at(-1) as string;
    await django.run("deactivate", leaving);

    // The first import, while Django serves; then tokenpair serves beside it.
    const server = await serve({ ...move, env });
    expect(await moveData({ ...move, env })).toMatchObject({ imported: users, refused: [] });

    // Devices refresh all the time, wherever the proxy sends them.
    let target = django.url;
    let isOver = false;
    const refreshes = new Map(devices.map((device) => [device, 0]));
    const isDone = () => [...refreshes].every(([{ username }, count]) => count >= rounds || username === leaving);
    async function live(device: Device): Promise<void> {
      while (!isOver) {
        const url = target;
        await refreshOnce(url, device);
        if (url === server.url) refreshes.set(device, (refreshes.get(device) ?? 0) + 1);
        // So that the import and the devices together are not more than the machine can do.
        await setTimeout(pause);
      }
    }
    const staying = devices.filter(({ username }) => username !== leaving);
    const lives = staying.map(live);
    const failures: unknown[] = [];
    const living = Promise.all(lives).catch((error: unknown) => failures.push(error));

    // The proxy switches. What Django has blacklisted since the first import comes with a second one.
    target = server.url;
    expect(await moveData({ ...move, env })).toMatchObject({ imported: 0, already_there: users, refused: [] });
    await expect.poll(() => isDone() || failures.length > 0, { timeout: 120_000, interval: 50 }).toBe(true);
    isOver = true;
    await living;
    expect(failures).toEqual([]);

    // Each device has one session, whose tokens work here and, as access tokens, at Django.
    for (const { pair } of staying) expect(await readMe(`${server.url}/api/auth/me/`, pair.access)).toBe(200);
    const [first] = staying as [Device];
    expect(await readMe(`${django.url}/me/`, first.pair.access)).toBe(200);
    expect(await readMe(`${django.url}/me/`, first.pair.refresh)).toBe(401);
    expect((await postRefresh(django.url, first.pair.refresh)).status).toBe(401);

    // Tokens that Django has blacklisted stay dead, and so do those of an inactive user.
    const blacklisted = { status: 401, body: { code: "token_not_valid", detail: "Token is blacklisted" } };
    expect(await postRefresh(server.url, loggedOut.pair.refresh)).toMatchObject(blacklisted);
    for (const { refresh } of spent.filter(({ username }) => username !== leaving)) {
      expect(await postRefresh(server.url, refresh)).toMatchObject(blacklisted);
    }
    const gone = devices.find(({ username }) => username === leaving) as Device;
    expect(await postRefresh(server.url, gone.pair.refresh)).toMatchObject({
      status: 401,
      body: { code: "no_active_account" },
    });

    // A device that was away during the move refreshes later, and two of its tabs at once.
    const stolen = away.pair.refresh;
    const answers = await Promise.all(Array.from({ length: 8 }, () => postRefresh(server.url, stolen)));
    expect(new Set(answers.map((answer) => toPair(answer).refresh)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    away.pair = toPair(answers[0] as (typeof answers)[number]);
    await refreshOnce(server.url, away);
    // The redeemed token is spent now. Presenting it is reuse, which revokes the session.
    expect(await postRefresh(server.url, stolen)).toMatchObject(blacklisted);
    expect(await postRefresh(server.url, away.pair.refresh)).toMatchObject(blacklisted);

    // Passwords have come along, too.
    toPair(await post(`${server.url}/api/token/`, { username: "user0", password }));
    console.log(
      `django: ${staying.length} devices moved, ${[...refreshes.values()].reduce((a, b) => a + b)} refreshes`,
    );
  });

  it("works with tokens that simplejwt has signed with RSA and doesn't rotate", async ({ skip }) => {
    skip(installation?.hasRsa === false, "PyJWT can't sign with RSA without the package cryptography");
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2_048,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    const settings = {
      DJANGO_SECRET_KEY: "only Django's sessions need it",
      DJANGO_ALGORITHM: "RS256",
      DJANGO_SIGNING_KEY: privateKey,
      DJANGO_VERIFYING_KEY: publicKey,
      DJANGO_ROTATE: "0",
    };
    const move = await prepare(settings, publicKey);
    const { pair } = await logIn(move.django.url, "user0");
    const server = await serve({ ...move, env: { ...move.env, TOKENPAIR_ROTATE_REFRESH_TOKENS: "false" } });
    await moveData(move);
    // A client that ignores the new refresh token, as simplejwt's default lets it.
    for (let n = 0; n < 3; n += 1) {
      const answer = await postRefresh(server.url, pair.refresh);
      expect(answer).toMatchObject({ status: 200, replayed: false });
      expect(await readMe(`${server.url}/api/auth/me/`, toPair(answer).access)).toBe(200);
    }
  });
});
