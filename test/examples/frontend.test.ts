import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { childEnvironment } from "../support/child-environment.ts";
import { isInstalled } from "./running.ts";

const frontend = resolve(import.meta.dirname, "../../examples/frontend");

/** How each framework observes what the example returns: code that calls `show` with each state, and `stop` in the end. */
const observers: Readonly<Record<string, string>> = {
  vue: `
    import { effectScope, watchEffect } from "vue";
    import { useSession } from "./vue.ts";
    const scope = effectScope();
    scope.run(() => {
      const session = useSession(client);
      watchEffect(() => show(session.value), { flush: "sync" });
    });
    const stop = () => scope.stop();`,
  svelte: `
    import { toSessionStore } from "./svelte.ts";
    const stop = toSessionStore(client).subscribe(show);`,
  solid: `
    import { createRoot, createEffect } from "solid-js";
    import { createSession } from "./solid.ts";
    const stop = createRoot((dispose) => {
      const session = createSession(client);
      createEffect(() => show(session()));
      return dispose;
    });`,
};

/** A client whose server says that alice is logged in, and then nothing: it logs in and out while the framework observes it. */
const toProgram = (observer: string) => `
  import { createBearerClient } from "tokenpair/client/bearer";
  const encode = (claims) => "h." + Buffer.from(JSON.stringify(claims)).toString("base64url") + ".s";
  const access = encode({ iat: 1, exp: 1801, sid: "s1" });
  const answers = {
    "/api/token/": { access, refresh: encode({ exp: 9999 }) },
    "/api/auth/me/": { id: "1", username: "alice", session: { id: "s1" } },
    "/api/token/blacklist/": {},
  };
  const vault = new Map();
  const client = createBearerClient({
    baseUrl: "http://localhost",
    fetch: async (url) => Response.json(answers[new URL(url).pathname]),
    storage: {
      getItem: (key) => vault.get(key) ?? null,
      setItem: (key, value) => void vault.set(key, value),
      removeItem: (key) => void vault.delete(key),
    },
  });
  const seen = [];
  const show = ({ status, user }) => seen.push(user?.username ?? status);
  ${observer}
  await client.ready();
  await client.login({ username: "alice", password: "x" });
  await client.logout();
  stop();
  await client.login({ username: "alice", password: "x" });
  client.dispose();
  console.log(JSON.stringify(seen));
`;

describe.skipIf(!isInstalled("frontend"))("the examples of front ends", () => {
  it.each(Object.entries(observers))("%s shows each change of the session until it stops", (name, observer) => {
    const folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
    // In the example's folder, so that its packages are found. Solid has another build for servers.
    const path = join(frontend, `.${name}.check.js`);
    try {
      writeFileSync(path, toProgram(observer));
      const args = ["--conditions=browser", path];
      const output = execFileSync(process.execPath, args, { cwd: folder, env: childEnvironment, encoding: "utf8" });
      expect(JSON.parse(output)).toEqual(["loading", "anonymous", "alice", "anonymous"]);
      console.log(`examples: ${name}: shows the session, and stops`);
    } finally {
      rmSync(path, { force: true });
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
