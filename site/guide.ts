/** The pages of the documentation, in the order of a person's needs. The site's sidebar and llms.txt are made from it. */

/** One page: its path from the root of the repository, its name in the sidebar, and what it answers. */
export type Page = readonly [path: string, name: string, answers: string];

/** A group of pages under one heading. */
export interface Group {
  readonly name: string;
  readonly pages: readonly Page[];
  /** Whether the sidebar shows only the heading until the reader opens it. */
  readonly isCollapsed?: true;
}

/** Every page of docs/, except those in docs/decisions/ and docs/postmortems/. */
export const guide: readonly Group[] = [
  {
    name: "Start",
    pages: [
      ["README.md", "Overview", "what tokenpair is, the shortest server, a comparison with other libraries"],
      ["docs/install.md", "Install", "a server with logins and a protected route in five minutes, first users in code"],
      ["docs/express-react.md", "First application", "Express, React and Vite: login, protected route, devices"],
      [
        "docs/protect-a-route.md",
        "Protect a route",
        "Express, Fastify, Hono, Nest, Next, plain Node; refusals, public routes, types",
      ],
      ["docs/roles.md", "Roles", "allow a route only to users with a role, and what happens when a role changes"],
      ["docs/testing.md", "Tests", "test your own protected routes"],
      ["docs/front-end.md", "Front end", "log in, send requests and show who is logged in, in a browser"],
      ["docs/sessions-and-devices.md", "Sessions and devices", "list a user's devices, log out one, the others or all"],
    ],
  },
  {
    name: "Users and logins",
    pages: [
      ["docs/your-own-users.md", "Your own users", "use your application's user table"],
      ["docs/other-logins.md", "Other logins", "OIDC, passkeys, magic links, acting for a user"],
      ["docs/second-factor.md", "Second factor", "a second step between the password and the session"],
      ["docs/step-up.md", "Step-up", "ask for the password again before a dangerous request"],
    ],
  },
  {
    name: "Frameworks and connections",
    pages: [
      ["docs/server-rendered.md", "Server-rendered pages", "pages and forms that your server renders, without scripts"],
      ["docs/next.md", "Next.js", "App Router: pages, server actions, route handlers"],
      [
        "docs/other-frameworks.md",
        "SvelteKit, React Router, Astro, Nuxt",
        "protect the pages of these frameworks, and what their routers load",
      ],
      ["docs/nest.md", "Nest", "module, guard, roles, gateways, GraphQL"],
      ["docs/native.md", "Mobile", "the bearer client in React Native and Expo"],
      ["docs/websockets.md", "WebSockets and streams", "close open connections at a logout"],
    ],
  },
  {
    name: "In production",
    pages: [
      ["docs/console.md", "The console", "pages for staff: users, sessions, audit log, keys, health"],
      ["docs/behind-a-proxy.md", "Behind a proxy", "nginx, Caddy, HAProxy, Apache, Traefik, AWS, path prefixes"],
      ["docs/production.md", "Going to production", "a checklist: key, database, https, health, backups, alerts"],
      ["docs/many-nodes.md", "PostgreSQL and many nodes", "several processes and machines, what happens if one fails"],
      [
        "docs/services-without-a-database.md",
        "Services without a database",
        "other services accept your users' tokens, and know of logouts",
      ],
      ["docs/keys.md", "Keys", "create and rotate keys, what to do if one leaks"],
    ],
  },
  {
    name: "Troubleshooting and moving",
    pages: [
      ["docs/troubleshooting.md", "Troubleshooting by symptom", "random logouts, 401, 403, missing cookies, clocks"],
      ["docs/migrating-from-django.md", "Coming from simplejwt", "users, settings, endpoints and clients"],
      [
        "docs/coming-from.md",
        "Coming from other libraries",
        "what replaces jsonwebtoken, express-jwt, passport-jwt, better-auth and express-session",
      ],
    ],
  },
  {
    name: "Reference",
    pages: [
      ["docs/settings.md", "Settings", "every setting and its default"],
      ["docs/cli.md", "Command line", "every command and its options"],
      ["docs/curl.md", "Five minutes with curl", "log in, refresh and log out by hand"],
      ["docs/http-api.md", "HTTP API", "every endpoint: parameters, body and responses"],
      ["docs/events.md", "Events", "event types, the audit log, the webhook"],
      ["docs/client.md", "The client in depth", "every state, method and error of the browser client and of its hooks"],
      ["docs/next-in-depth.md", "Next.js in depth", "the client's address, Next's own settings, public pages, Next 15"],
      ["CHANGELOG.md", "Changelog", "what changed, and how to upgrade"],
    ],
  },
  {
    name: "Operating in depth",
    pages: [
      [
        "docs/deploying.md",
        "Deploying",
        "an installation behind nginx, systemd, containers, Kubernetes, several processes",
      ],
      [
        "docs/cut-over.md",
        "Moving from Django",
        "import users and blacklisted tokens, switch without logging users out",
      ],
      ["docs/operating.md", "Operating", "failures, database, backups, upgrades, cleanup, metrics and alerts"],
      ["docs/postgresql.md", "PostgreSQL in depth", "indexes, vacuum"],
      ["docs/scaling.md", "Scaling", "sizing, from one machine to a hundred million users"],
      [
        "docs/proxies-auth.md",
        "Authenticate at the proxy",
        "the proxy checks requests before your application gets them",
      ],
      ["docs/throttling.md", "Throttling", "limits on failed logins, unlocking users"],
      [
        "docs/keys-in-depth.md",
        "Keys in depth",
        "what each key does, the key ring, algorithms, when changes take effect, errors",
      ],
      ["docs/retention.md", "Retention and erasure", "which personal data is stored, how long, how to erase a user"],
      ["docs/versions.md", "Versions", "what a version covers, support, deprecation, upgrades, going back"],
      ["docs/observing.md", "Tracing", "OpenTelemetry spans from the tracing channels"],
      ["docs/services.md", "Endpoints for services", "credentials, introspection, revocation, public keys, metadata"],
      ["docs/verifier/typescript.md", "Verify in TypeScript", "services without a database: Node, Deno, Bun, workerd"],
      ["docs/verifier/sidecar.md", "The sidecar", "`tokenpair verifier`, for PHP, proxies and many services"],
      ["docs/verifier/README.md", "Verify in any language", "specification of a verifier, with test vectors"],
      [
        "docs/demonstration.md",
        "The demonstration",
        "what npm start shows: a stolen token, a lost response, a logout on another node",
      ],
    ],
  },
  {
    name: "In depth",
    pages: [
      ["docs/how-it-works.md", "How it works", "tokens, refresh and rotation, how a logout reaches every node"],
      ["docs/refresh.md", "Tokens and refresh", "every claim, and each step of a refresh"],
      ["docs/revocation.md", "Revocation", "entries of the feed, leases, confirmed revocations and their limits"],
      [
        "docs/why-not-plain-sessions.md",
        "Why not plain sessions?",
        "when opaque session cookies are the better choice",
      ],
      ["docs/browser.md", "Cookies and CSRF", "cookie names and attributes, request checks, redirects"],
      ["docs/origins.md", "Other origins", "CORS, pages on other origins, bearer tokens in apps"],
      ["docs/passwords.md", "Passwords", "password rules, hashing, peppers"],
      ["docs/own-passwords.md", "Passwords of your own users", "check and hash the passwords of your own user table"],
      ["SECURITY.md", "Security", "threat model, guarantees and their limits, how to report a vulnerability"],
    ],
  },
  {
    name: "The project",
    isCollapsed: true,
    pages: [
      ["docs/rotation.md", "The rule of rotation", "its specification, with test vectors"],
      ["docs/correctness.md", "Correctness", "guarantees, and the tests that check them"],
      ["docs/performance.md", "Performance", "benchmarks against other libraries, how to reproduce them"],
      ["docs/asvs.md", "OWASP ASVS", "which requirements tokenpair meets, and the tests for them"],
      ["ARCHITECTURE.md", "Architecture", "a map of the source, recipes for common changes"],
      ["CONTRIBUTING.md", "Contributing", "run, test and change the code"],
      ["docs/decisions/README.md", "Decisions", "design decisions and their reasons"],
    ],
  },
];
