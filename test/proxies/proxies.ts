import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findFreePort } from "../support/free-port.ts";
import { waitUntil } from "../support/wait-until.ts";
import { type Places, readConfiguration } from "./page.ts";

/** A proxy that the page has configurations for. */
export interface ReverseProxy {
  readonly name: "nginx" | "nginx-lua" | "caddy" | "haproxy" | "apache";
  readonly program: string;
  /** The arguments that print the version. */
  readonly version: readonly string[];
  /** Completes a configuration of the page with what every installation has: folders, modules. */
  readonly toFile: (configuration: string, folder: string, port: number) => string;
  /** Returns the arguments that run it in the foreground. */
  readonly toArguments: (file: string) => readonly string[];
}

const isRoot = process.getuid?.() === 0;
const apacheModules = ["mpm_event", "authz_core", "socache_shmcb", "ssl", "headers", "proxy", "proxy_http"] as const;

export const proxies: readonly ReverseProxy[] = [
  {
    name: "nginx",
    program: "nginx",
    version: ["-v"],
    toFile: (configuration, folder) => `daemon off; pid ${folder}/nginx.pid; error_log stderr;
      ${isRoot ? "user root;" : ""} worker_processes 1; events {}
      http { access_log off; ${toTemporaryPaths(folder)}
      ${configuration} }`,
    toArguments: (file) => ["-e", "stderr", "-c", file],
  },
  {
    name: "caddy",
    program: "caddy",
    version: ["version"],
    toFile: (configuration) =>
      `{\n  admin off\n  auto_https disable_redirects\n  skip_install_trust\n}\n${configuration}`,
    toArguments: (file) => ["run", "--config", file, "--adapter", "caddyfile"],
  },
  {
    name: "haproxy",
    program: "haproxy",
    version: ["-v"],
    toFile: (configuration) =>
      configuration.startsWith("global") ? configuration : `global\n    maxconn 200\n\n${configuration}`,
    toArguments: (file) => ["-db", "-f", file],
  },
  {
    name: "apache",
    program: "apache2",
    version: ["-v"],
    toFile: (configuration, folder, port) => `ServerRoot ${folder}
PidFile ${folder}/apache.pid
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/error.log
ServerName localhost
${isRoot ? "User www-data\nGroup www-data" : ""}
${apacheModules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
Listen ${port} https
${configuration}`,
    toArguments: (file) => ["-X", "-f", file],
  },
];

/** nginx with its Lua module, which authenticates requests itself. */
export const nginxWithLua: ReverseProxy = {
  name: "nginx-lua",
  program: "nginx",
  version: ["-v"],
  toFile: (configuration, folder) =>
    `daemon off; pid ${folder}/nginx.pid; error_log stderr; ${isRoot ? "user root;" : ""}\n${configuration
      .replaceAll("modules/", "/usr/lib/nginx/modules/")
      .replace("http {", `http { ${toTemporaryPaths(folder)}`)}`,
  toArguments: (file) => ["-e", "stderr", "-c", file],
};

/** Returns whether nginx can run Lua, as Debian installs it. */
export const hasLua = (): boolean => existsSync("/usr/lib/nginx/modules/ngx_http_lua_module.so");

function toTemporaryPaths(folder: string): string {
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(" ");
}

/** Returns the first line with the version of a proxy; `null` if it isn't installed. */
export function findVersion({ program, version }: ReverseProxy): string | null {
  const { error, stdout, stderr } = spawnSync(program, version, { encoding: "utf8", env: { PATH: searchPath } });
  return error === undefined ? (/\d+\.\d+\.\d+/.exec(`${stdout}${stderr}`)?.[0] ?? "") : null;
}

/** Servers are in folders that not every user has in the PATH. */
const searchPath = `${process.env["PATH"]}:/usr/sbin:/usr/local/sbin`;

/** A running proxy. */
export interface RunningProxy {
  readonly port: number;
  /** Returns everything that it has printed so far. */
  log(): string;
  stop(): Promise<void>;
}

/**
 * Starts a proxy with a configuration of the pages.
 *
 * @param kind what comes after the proxy's name in the configuration's name.
 * @param places the ports of the nodes, and of the application behind the proxy; and the proxy's environment variables.
 * @param change makes a mistake in the configuration, to see that the test finds it.
 * @throws Error with what it printed, if it exits.
 */
export async function startProxy(
  proxy: ReverseProxy,
  kind: "" | " prefix" | " check",
  { env = {}, ...places }: Pick<Places, "nodes" | "app"> & { readonly env?: Readonly<Record<string, string>> },
  change = (configuration: string) => configuration,
): Promise<RunningProxy> {
  const folder = mkdtempSync(join(tmpdir(), "tokenpair-proxy-"));
  const port = await findFreePort();
  const pem = join(folder, "localhost.pem");
  const tls = resolve(import.meta.dirname, "../support/tls");
  writeFileSync(pem, readFileSync(`${tls}/localhost.crt`, "utf8") + readFileSync(`${tls}/localhost.key`, "utf8"));
  const file = join(folder, "proxy.conf");
  const configuration = withLongTimeouts(readConfiguration(`${proxy.name}${kind}`, { ...places, port, pem }));
  writeFileSync(file, proxy.toFile(change(configuration), folder, port));
  const child = spawn(proxy.program, proxy.toArguments(file), {
    env: { PATH: searchPath, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => printed.push(String(data)));
  let failure: string | null = null;
  child.on("error", (error) => {
    failure = String(error);
  });
  child.on("exit", (code) => {
    failure = `exit code ${code}`;
  });
  try {
    await waitUntil(`${proxy.name} listens`, async () => {
      if (failure !== null)
        throw new Error(`${proxy.name} ended: ${failure}\n${printed.join("")}${readErrors(folder)}`);
      return isListening(port);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, log: () => printed.join(""), stop };

  async function stop(): Promise<void> {
    await endProcess(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** On a busy machine, a server may not answer for longer than nginx waits in production. */
const withLongTimeouts = (configuration: string): string =>
  configuration.replaceAll(/(proxy_(?:connect|read)_timeout) \d+s/g, "$1 60s");

/** Returns the log of Apache, which can't write to a pipe. */
function readErrors(folder: string): string {
  const file = join(folder, "error.log");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => done(true)).once("error", () => done(false));
    socket.once("connect", () => socket.destroy());
  });
}
