import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);
const project = resolve(import.meta.dirname, "project.py");

/** A Python that has Django and simplejwt. */
export interface DjangoInstallation {
  readonly python: string;
  /** For example "Django 3.2.25, simplejwt 5.2.2". */
  readonly version: string;
  /** Whether PyJWT can sign with RSA. */
  readonly hasRsa: boolean;
}

// simplejwt's own modules can't be imported without a project's settings.
const probe = `
import importlib.metadata, importlib.util, json
import django, rest_framework, rest_framework_simplejwt
try:
    version = importlib.metadata.version("djangorestframework-simplejwt")
except importlib.metadata.PackageNotFoundError:
    version = "of an unknown version"
print(json.dumps({"version": f"Django {django.__version__}, simplejwt {version}",
                  "hasRsa": importlib.util.find_spec("cryptography") is not None}))
`;

/** Finds a Python with Django and simplejwt: the first one in PATH, or Debian's. @returns `null` if there is none. */
export function findDjango(): DjangoInstallation | null {
  for (const python of ["python3", "/usr/bin/python3"]) {
    const { status, stdout } = spawnSync(python, ["-c", probe], { encoding: "utf8" });
    if (status === 0) return { python, ...(JSON.parse(stdout) as Omit<DjangoInstallation, "python">) };
  }
  return null;
}

/** A running Django project. */
export interface DjangoProject {
  readonly url: string;
  /** Runs a command of project.py or manage.py. @returns what it prints. */
  readonly run: (...args: readonly string[]) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Creates the database of a Django project in `folder`, and serves the project. */
export async function startDjango(
  { python }: DjangoInstallation,
  folder: string,
  settings: Readonly<Record<string, string>>,
): Promise<DjangoProject> {
  const env = { PATH: process.env["PATH"], DJANGO_DATABASE: join(folder, "django.sqlite3"), ...settings };
  const run = async (...args: readonly string[]) =>
    (await execute(python, [project, ...args], { cwd: folder, env, maxBuffer: 1e8 })).stdout;
  await run("migrate", "--verbosity", "0");
  const child = spawn(python, [project, "serve"], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { port } = JSON.parse(String(line)) as { readonly port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    run,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill();
      await exited;
    },
  };
}
