/**
 * Writes llms.txt, which tells a coding agent what each page of the documentation answers. Run by `npm run docs`.
 */
import { writeFileSync } from "node:fs";
import { guide } from "../../site/guide.ts";

const preamble = `# tokenpair

> Token-pair authentication for TypeScript servers: a short-lived JWT access token, a single-use refresh token, and logouts
> that take effect within a second on every node that can reach the database. A library for Express, Fastify, Hono, Next,
> Nest and plain Node, or a server with an HTTP API compatible with djangorestframework-simplejwt.

- In an installed package, the paths below start at node_modules/tokenpair/.
- tokenpair isn't on npm yet: install its package file (.tgz), which docs/install.md creates.
- Read docs/skill/SKILL.md first: it has the steps and the mistakes to avoid. Then read docs/install.md, docs/protect-a-route.md and
  docs/front-end.md, or your framework's page.
- Put \`authRoutes(auth)\` before any body parser. Call \`await store.migrate()\` and \`await auth.ready()\` before the server listens.
- In the browser, use \`createClient()\` from \`tokenpair/client\`, and \`client.fetch\` for requests: it refreshes the session and adds the CSRF token.
- The cookies need https, except on localhost. Safari needs \`NODE_ENV=development\` there.
- Types and docstrings of every export are in dist/**/*.d.ts. Programs that run are in examples/.
`;

/** Returns the text of llms.txt. Its links start at the root of the package. */
export function toLlmsText(): string {
  const groups = guide.map(({ name, pages }) => {
    const lines = pages.map(([path, title, answers]) => `- [${title}](${path}): ${answers}\n`);
    return `\n## ${name}\n\n${lines.join("")}`;
  });
  return preamble + groups.join("");
}

if (import.meta.main) writeFileSync(new URL("../../llms.txt", import.meta.url), toLlmsText());
