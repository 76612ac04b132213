/**
 * `npm run sbom`: writes the software bill of materials of what we publish to sbom.cdx.json (CycloneDX 1.5), after the checks
 * that `--check` does alone: every dependency has a licence that we accept, and has a hash in the lock file.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

interface Component {
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly licenses?: readonly { readonly license?: { readonly id?: string }; readonly expression?: string }[];
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

interface Bom {
  readonly metadata: { readonly component: { readonly name: string } };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly integrity?: string;
}

/** Permissive: they ask for a notice, and for nothing of the application that installs us. */
const accepted = new Set(["MIT", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "BlueOak-1.0.0"]);

const bom = withoutDevelopment(
  JSON.parse(execFileSync("npm", ["sbom", "--sbom-format=cyclonedx"], { encoding: "utf8", maxBuffer: 1e8 })),
);
const faults = [...findLicenceFaults(bom), ...findOriginFaults()];
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);

if (process.argv.includes("--check")) {
  console.log(`${bom.components.length} published dependencies, all of an accepted licence and with a hash`);
} else {
  writeFileSync("sbom.cdx.json", `${JSON.stringify(bom, null, 2)}\n`);
  console.log(`sbom.cdx.json: ${bom.components.length} components`);
}

/** npm's own `--omit=dev` leaves out what a development tool needs as well. */
function withoutDevelopment(whole: Bom): Bom {
  const components = whole.components.filter(
    ({ properties = [] }) => !properties.some(({ name }) => name === "cdx:npm:package:development"),
  );
  const left = new Set(whole.components.filter((one) => !components.includes(one)).map((one) => one["bom-ref"]));
  const dependencies = whole.dependencies
    .filter(({ ref }) => !left.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => !left.has(other)) }));
  // npm names what it describes by the folder that it stands in.
  const metadata = { ...whole.metadata, component: { ...whole.metadata.component, name: "tokenpair" } };
  return { ...whole, metadata, components, dependencies };
}

function findLicenceFaults({ components }: Bom): string[] {
  return components
    .map(({ name, version, licenses = [] }) => {
      const found = licenses.map(({ license, expression }) => license?.id ?? expression ?? "unknown");
      const isAccepted = found.length > 0 && found.every((licence) => accepted.has(licence));
      return isAccepted ? "" : `${name} ${version}: its licence, ${found.join(" and ") || "none"}, is not accepted`;
    })
    .filter((fault) => fault !== "");
}

function findOriginFaults(): string[] {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return (
    Object.entries(lock.packages)
      .filter(([path, { dev }]) => path !== "" && !dev)
      // npm knows the hash of a binary only where it was installed once, and it never was for another platform.
      .filter(([, { integrity, optional, os }]) => !integrity?.startsWith("sha512-") && !(optional && os))
      .map(([path]) => `${path}: the lock file has no SHA-512 of it`)
  );
}
