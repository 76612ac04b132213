import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const read = (path: string) => readFileSync(resolve(import.meta.dirname, "../..", path), "utf8");
const pages = read("docs/behind-a-proxy.md") + read("docs/proxies-auth.md");
const examples = resolve(import.meta.dirname, "../../examples");
const tls = resolve(import.meta.dirname, "../support/tls");

/** What the configurations of the pages are filled with. */
export interface Places {
  /** The port that the proxy listens on. */
  readonly port: number;
  /** The ports of the nodes. A configuration for two nodes gets the first one twice if there is only one. */
  readonly nodes: readonly number[];
  /** The port of an application behind the proxy. Default: there is none. */
  readonly app?: number;
  /** The path of a file with the certificate and its key, as HAProxy reads it. */
  readonly pem: string;
}

/** The name of the configuration in examples/nginx-lua. */
const withLua = "nginx-lua";

/**
 * Returns a configuration of the pages, or that of examples/nginx-lua, with the ports and files of a test.
 *
 * @throws Error if it isn't there.
 */
export function readConfiguration(name: string, { port, nodes, app = 0, pem }: Places): string {
  const found = new RegExp(`<!-- proof: ${name} -->\n\`\`\`\\w+\n(.*?)^\`\`\`$`, "ms").exec(pages);
  const block = name === withLua ? read(`examples/${withLua}/nginx.conf`) : found?.[1];
  if (block === undefined) throw new Error(`no page has a configuration "${name}"`);
  const [first = 0, second = first] = nodes;
  return block
    .replaceAll(/\/etc\/ssl\/(?:(?:auth|app)\.)?example\.com\.crt/g, `${tls}/localhost.crt`)
    .replaceAll(/\/etc\/ssl\/(?:(?:auth|app)\.)?example\.com\.key/g, `${tls}/localhost.key`)
    .replaceAll(/\/etc\/haproxy\/(?:(?:auth|app)\.)?example\.com\.pem/g, pem)
    .replaceAll("/etc/nginx/tokenpair/", `${examples}/${withLua}/`)
    .replaceAll("/etc/haproxy/tokenpair.lua", `${examples}/haproxy/tokenpair.lua`)
    .replaceAll(
      /^(?:(?:auth|app)\.)?example\.com \{$/gm,
      `https://localhost:${port} {\n    tls ${tls}/localhost.crt ${tls}/localhost.key`,
    )
    .replaceAll(/(?:(?:auth|app)\.)?example\.com/g, "localhost")
    .replaceAll(/(?<=listen |bind :|\*:)443\b/g, String(port))
    .replaceAll(/127\.0\.0\.1:8000|10\.0\.0\.11:8000/g, `127.0.0.1:${first}`)
    .replaceAll("127.0.0.1:3000", `127.0.0.1:${app}`)
    .replaceAll("10.0.0.12:8000", `127.0.0.1:${second}`);
}
