import { expect, it } from "vitest";
import { createKeks } from "../../src/crypto/keys/key-encryption.ts";
import { retireKey, rotateKeys } from "../../src/flows/keys/keys.ts";
import { kek, openInstallation } from "./nodes.ts";

it.each(["rotate", "retire"])("nodes accept each other's tokens at every moment of %s --now", async (what) => {
  const installation = openInstallation();
  const one = await installation.start({ keyEncryptionKey: kek });
  await installation.time.advance(0.1);
  const two = await installation.start({ keyEncryptionKey: kek });
  await installation.pass(5);
  let { refresh } = await one.logIn();
  const options = { keks: createKeks(kek), isImmediate: true, client: {} };
  const former = one.keys.current().tokens.access.kid;
  if (what === "rotate") await rotateKeys(installation.commands(), options);
  else await retireKey(installation.commands(), former, { ...options, signsInRing: true });
  const faults: unknown[] = [];
  for (let ms = 0; ms < 4000; ms += 20) {
    await installation.time.advance(0.02);
    for (const [maker, other] of [[one, two], [two, one]] as const) {
      const pair = await maker.refresh(refresh);
      refresh = pair.refresh;
      if (!(await other.accepts(pair.access))) faults.push([ms, maker === one]);
    }
  }
  expect(faults).toEqual([]);
});
