import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const page = readFileSync(resolve(import.meta.dirname, "../../docs/behind-a-proxy.md"), "utf8");
const tls = resolve(import.meta.dirname, "../support/tls");

/** What the configurations of the page are filled with. */
export interface Places {
  /** The port that the proxy listens on. */
  readonly port: number;
  /** The ports of the nodes. A configuration for two nodes gets the first one twice if there is only one. */
  readonly nodes: readonly number[];
  /** The path of a file with the certificate and its key, as HAProxy reads it. */
  readonly pem: string;
}

/** Returns a configuration of docs/behind-a-proxy.md with the ports and files of a test. @throws Error if it isn't there. */
export function readConfiguration(name: string, { port, nodes, pem }: Places): string {
  const [, block] = new RegExp(`<!-- proof: ${name} -->\n\`\`\`\\w+\n(.*?)^\`\`\`$`, "ms").exec(page) ?? [];
  if (block === undefined) throw new Error(`docs/behind-a-proxy.md has no configuration "${name}"`);
  const [first = 0, second = first] = nodes;
  return block
    .replaceAll("/etc/ssl/auth.example.com.crt", `${tls}/localhost.crt`)
    .replaceAll("/etc/ssl/auth.example.com.key", `${tls}/localhost.key`)
    .replaceAll("/etc/haproxy/auth.example.com.pem", pem)
    .replaceAll(
      /^(?:auth\.)?example\.com \{$/gm,
      `https://localhost:${port} {\n    tls ${tls}/localhost.crt ${tls}/localhost.key`,
    )
    .replaceAll(/(?:auth\.)?example\.com/g, "localhost")
    .replaceAll(/(?<=listen |bind :|\*:)443\b/g, String(port))
    .replaceAll(/127\.0\.0\.1:8000|10\.0\.0\.11:8000/g, `127.0.0.1:${first}`)
    .replaceAll("10.0.0.12:8000", `127.0.0.1:${second}`);
}
