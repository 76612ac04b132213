import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readHeader } from "../../../src/revocation/readers/frame.ts";
import { type FrameFile, startFrameFile } from "../../../src/server/sidecar/frame-file.ts";
import type { VerifierOptions } from "../../../src/verifier/options.ts";
import { materials } from "../../crypto/keys/sample-keys.ts";
import { session } from "../../verifier/peer.ts";
import { closeVerifiers, setUp, setUpReady } from "../../verifier/set-up.ts";
import { createFolder } from "../folder.ts";

const credential = `tps_${"f".repeat(43)}`;
const relay = { credentials: [credential] };
const open: FrameFile[] = [];

afterEach(async () => {
  closeVerifiers();
  for (const file of open.splice(0)) await file.stop();
});

/** A file of a verifier whose clocks only move when the test moves them. */
function keep({ verifier, time }: ReturnType<typeof setUp>, { folder = createFolder(), acknowledges = true } = {}) {
  const path = join(folder, "revocations");
  const failures: (string | null)[] = [];
  const sent: string[] = [];
  const file = startFrameFile({
    ...{ path, credential, reader: "file", lease: 10_000, feedPath: "/api/auth/revocations", ...time },
    async feed(request) {
      sent.push(request.method);
      if (request.method === "POST" && !acknowledges) return new Response(null, { status: 503 });
      return verifier.feed(request);
    },
    onFailure: (failure) => void failures.push(failure),
  });
  open.push(file);
  const read = () => {
    const bytes = readFileSync(path);
    return { bytes, header: readHeader(bytes), modifiedAt: statSync(path).mtimeMs };
  };
  return { path, folder, file, failures, sent, read };
}

/** Moves the clocks until a condition holds: what is done with files takes real time. */
async function until({ live }: ReturnType<typeof setUp>, condition: () => boolean | Promise<boolean>): Promise<void> {
  await expect
    .poll(async () => {
      await live(0.1);
      return condition();
    })
    .toBe(true);
}

const start = async (options: Partial<VerifierOptions> = {}) => setUpReady({ relay, ...options });

describe("the file of a sidecar", () => {
  it("is a full frame in the order of the fingerprints, with the keys beside it", async () => {
    const set = await start();
    await set.peer.revoke([
      ["s", "b"],
      ["s", "a"],
      ["u", "42", 7],
    ]);
    const { read, path } = keep(set);
    await until(set, () => existsSync(path));
    const { bytes, header } = read();
    expect(header).toMatchObject({ isFull: true, isAwaited: false, count: 3, age: 0, held: 0 });
    expect(bytes).toHaveLength(64 + 3 * 16);
    const fingerprints = [0, 1, 2].map((record) => bytes.readBigUInt64BE(64 + 16 * record));
    expect(fingerprints).toEqual(fingerprints.toSorted((a, b) => (a < b ? -1 : 1)));
    const keys = readFileSync(`${path}.jwks.json`);
    expect(createHash("sha256").update(keys).digest().readUInt32BE(0)).toBe(header?.keyVersion);
    expect(JSON.parse(keys.toString()).keys[0].kid).toBe(materials.ES256.kid);
    for (const name of [path, `${path}.jwks.json`]) expect(statSync(name).mode & 0o777).toBe(0o600);
    expect(existsSync(`${path}.new`)).toBe(false);
  });

  it("gets what is revoked, and the time of the last frame while nothing is", async () => {
    const set = await start();
    const { read, path, file } = keep(set);
    await until(set, () => existsSync(path));
    const before = read();
    expect(before.modifiedAt).toBeLessThanOrEqual(set.time.clock.wall());
    const { writes } = file;
    await until(set, () => read().modifiedAt > before.modifiedAt + 2_000);
    expect(file.writes).toBe(writes);
    expect(read().bytes).toEqual(before.bytes);
    await set.peer.revoke([["s", session.sessionId]]);
    await until(set, () => read().header?.count === 1);
    expect(file.writes).toBeGreaterThan(writes);
  });

  it("looks no newer than what is in it while the feed can't be read", async () => {
    const set = await start();
    const { read, path, file } = keep(set);
    await until(set, () => existsSync(path));
    set.peer.feed = "down";
    await set.peer.hangUp();
    const cutAt = set.time.clock.wall();
    for (let second = 0; second < 30; second += 1) await set.live(1);
    expect(read().modifiedAt).toBeLessThanOrEqual(cutAt);
    expect(file.completeAt).toBeLessThanOrEqual(cutAt);
    set.peer.feed = "up";
    await until(set, () => read().modifiedAt > cutAt + 20_000);
  });

  it("counts the time by which the issuer was behind as its own age", async () => {
    const set = setUp({ relay });
    set.peer.age = 4_000;
    const { read, path } = keep(set);
    await until(set, () => existsSync(path));
    expect(set.time.clock.wall() - read().modifiedAt).toBeGreaterThanOrEqual(4_000);
  });

  it("is acknowledged only when it has been written", async () => {
    const set = await start();
    const { folder, path, sent, failures, read } = keep(set);
    await until(set, () => existsSync(path));
    // No file can be created there.
    renameSync(folder, `${folder}.away`);
    const before = sent.filter((method) => method === "POST").length;
    await set.peer.revoke([["s", session.sessionId]], { awaited: true });
    await until(set, () => failures.length > 0);
    expect(failures).toEqual(["ENOENT"]);
    expect(sent.filter((method) => method === "POST")).toHaveLength(before);
    renameSync(`${folder}.away`, folder);
    await until(set, () => sent.filter((method) => method === "POST").length > before);
    expect(read().header?.count).toBe(1);
    expect(failures).toEqual(["ENOENT", null]);
  });

  it("makes the issuer wait for it, and no longer than its readers rely on it", async () => {
    const set = await start();
    const { path } = keep(set, { acknowledges: false });
    await until(set, () => existsSync(path));
    const posts = () => set.peer.requests.filter(({ method }) => method === "POST").length;
    await set.peer.revoke([["s", session.sessionId]], { awaited: true });
    await set.live(8);
    expect(posts()).toBe(0);
    await set.live(5);
    expect(posts()).toBe(1);
  });

  it("is written again if it was removed or replaced", async () => {
    const set = await start();
    const { path } = keep(set);
    await until(set, () => existsSync(path));
    rmSync(path);
    rmSync(`${path}.jwks.json`);
    await until(set, () => existsSync(path) && existsSync(`${path}.jwks.json`));
    writeFileSync(`${path}.other`, "x");
    renameSync(`${path}.other`, path);
    await until(set, () => readFileSync(path, "latin1") !== "x");
    expect(readFileSync(path, "latin1")).toMatch(/^TPR1/);
  });

  it("replaces what another program has left in the place of its draft", async () => {
    const set = await start();
    const folder = createFolder();
    writeFileSync(join(folder, "revocations.new"), "half a frame", { mode: 0o644 });
    const { path } = keep(set, { folder });
    await until(set, () => existsSync(path));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("names other keys only when they are beside it", async () => {
    const set = await start();
    const { path, read } = keep(set);
    await until(set, () => existsSync(path));
    const before = read().header?.keyVersion;
    set.peer.publish(materials.ES256, materials.EdDSA);
    await until(set, () => read().header?.keyVersion !== before);
    const keys = readFileSync(`${path}.jwks.json`);
    expect(createHash("sha256").update(keys).digest().readUInt32BE(0)).toBe(read().header?.keyVersion);
    expect(JSON.parse(keys.toString()).keys).toHaveLength(2);
  });

  it("keeps every record that its verifier keeps, even if the wall clock is set", async () => {
    const set = await start();
    await set.peer.revoke([["s", session.sessionId]], { until: set.time.clock.now() + 5_000 });
    const { path, read } = keep(set);
    await until(set, () => existsSync(path));
    set.time.setWallClock(86_400);
    await set.live(3);
    set.time.setWallClock(-86_400);
    await set.live(20);
    await until(set, () => read().modifiedAt > set.time.clock.wall() - 3_000);
    expect(read().header?.count).toBe(1);
  });
});
