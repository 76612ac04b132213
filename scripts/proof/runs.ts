/** A long run that tries to break the code, and reports what it tried. */
export interface ProofRun {
  readonly name: string;
  /** What it does, for the list of runs. */
  readonly description: string;
  /** A program of node_modules/.bin and its arguments. It prints a line for each step, so that its progress is visible. */
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** The same in seconds, for CI: shows that the run works, and proves little. */
  readonly smoke: Pick<ProofRun, "command" | "env">;
  /** Returns the figures in its output that docs/correctness.md records. A run without any has tried nothing, and fails. */
  readonly toFigures: (lines: readonly string[]) => readonly string[];
}

const vitest = (...args: string[]): ProofRun["command"] => ["vitest", "run", "--reporter=verbose", ...args];

/** Adds the tests that `npm test` leaves out, because they take too long. */
const long = { TOKENPAIR_LONG_TESTS: "true" };

const linesWith =
  (pattern: RegExp): ProofRun["toFigures"] =>
  (lines) =>
    lines.filter((line) => pattern.test(line)).map((line) => line.trim());

/** Every run. To add one, add an entry; `npm run proof` and .ci/run then know it. */
export const proofRuns: readonly ProofRun[] = [
  {
    name: "model",
    description:
      "explores the rotation rule and the confirmation of revocations, and finds each of their deliberate breakages (minutes)",
    command: vitest("test/model"),
    env: { TOKENPAIR_MODEL_STEPS: "18", ...long },
    smoke: { command: vitest("test/model", "--testNamePattern=reuse interval 0") },
    toFigures(lines) {
      const explored = linesWith(/^model: .*: .* states, .*0 violations/)(lines);
      const found = linesWith(/^model: .*, violates I\d+/)(lines);
      return [...explored, ...(found.length > 0 ? [`${found.length} deliberate breakages found`] : [])];
    },
  },
  {
    name: "chaos",
    description:
      "races, crashes, partitions, failovers, differing clocks and rotated keys under traffic, eight times as long as in the tests (half an hour)",
    // The breakages are part of the run `revocation`.
    command: vitest("test/races", "--testNamePattern=^(?!the judge of revocations)"),
    env: { TOKENPAIR_CHAOS_FACTOR: "8", ...long },
    smoke: { command: vitest("test/races/crash.test.ts", "--testNamePattern=over SQLite") },
    toFigures: linesWith(/^(?:races|crashes|failover|partition|clocks|key rotation)\b.*:/),
  },
  {
    name: "revocation",
    description:
      "10,000 confirmed revocations while nodes and the database are killed, stopped and cut off; deliberate breakages (half an hour)",
    command: vitest("test/races/revocation"),
    env: { TOKENPAIR_REVOCATIONS: "10000", ...long },
    smoke: {
      command: vitest("test/races/revocation", "--testNamePattern=in thousands of revocations|later than the start"),
      env: { TOKENPAIR_REVOCATIONS: "40", ...long },
    },
    toFigures: linesWith(/^(?:revocations|breakage)\b.*:/),
  },
  {
    name: "stores",
    description:
      "the tests of both stores, also of PostgreSQL without prepared statements, and those of the staff's changes (minutes)",
    command: vitest("test/store", "test/staff"),
    env: long,
    smoke: { command: vitest("test/store/sqlite/staff.test.ts"), env: long },
    toFigures: linesWith(/^ *Tests /),
  },
  {
    name: "browsers",
    description: "every browser test, in Chromium, and in Firefox and WebKit if they are installed (minutes)",
    command: ["node", "scripts/browsers.ts"],
    smoke: { command: ["node", "scripts/browsers.ts", "test/browser/accessibility.test.ts"] },
    toFigures: linesWith(/^browsers: \w+: /),
  },
  {
    name: "console",
    description:
      "drives every page and dialog of the console in Chromium, in all colors and widths, and by keyboard, over both stores (minutes)",
    command: vitest("test/console"),
    env: long,
    smoke: { command: vitest("test/console", "--testNamePattern=toast, in light colors|stolen laptop"), env: long },
    toFigures: linesWith(/^(?:console: | *Tests )/),
  },
  {
    name: "clients",
    description:
      "drives other people's clients, and our own, from pages of another origin in Chromium (a minute; needs the npm registry)",
    command: ["node", "test/clients/run.ts"],
    smoke: { command: ["node", "test/clients/run.ts", "--own"] },
    toFigures: linesWith(/^clients: .*: \d+ steps/),
  },
  {
    name: "runtimes",
    description:
      "runs tokenpair/verifier in Node, Deno, Bun and workerd against a server (a minute; needs the npm registry)",
    command: ["node", "test/runtimes/run.ts"],
    smoke: { command: ["node", "test/runtimes/run.ts", "--own"] },
    toFigures: linesWith(/^runtimes: /),
  },
  {
    name: "package",
    description:
      "installs the packed package and uses it in Node 22, 24 and 26, Bun and Deno (a minute; needs the npm registry)",
    command: ["node", "test/package/run.ts"],
    smoke: { command: ["node", "test/package/run.ts", "--smoke"] },
    toFigures: linesWith(/^package: /),
  },
  {
    name: "verifiers",
    description:
      "services without a database, of every kind: times of a logout, outages, bad links, relays, and 3,000 confirmed revocations under faults (half an hour; needs the npm registry)",
    command: ["node", "test/verifiers/run.ts"],
    smoke: { command: ["node", "test/verifiers/run.ts", "--smoke"] },
    toFigures: linesWith(/^(?:verifiers|breakage)\b.*:/),
  },
  {
    name: "examples",
    description: "runs the examples that have packages of their own (a minute; needs the npm registry)",
    command: ["node", "test/examples/run.ts"],
    smoke: { command: ["node", "test/examples/run.ts", "--smoke"] },
    toFigures: linesWith(/^examples: /),
  },
  {
    name: "frameworks",
    description:
      "runs the packed package in applications of Nest, Next, SvelteKit, React Router, Astro and Nuxt, and in every major of the other frameworks (minutes; needs the npm registry)",
    command: ["node", "test/frameworks/run.ts"],
    smoke: { command: ["node", "test/frameworks/run.ts", "--smoke"] },
    toFigures: linesWith(/^frameworks: /),
  },
  {
    name: "native",
    description:
      "bundles the example for React Native with Metro and runs it, and kills 20,000 simulated apps at random steps (a minute; needs the npm registry)",
    command: ["node", "test/native/run.ts"],
    smoke: { command: ["node", "test/native/run.ts", "--smoke"] },
    toFigures: linesWith(/^native: /),
  },
  {
    name: "types",
    description:
      "compiles the declarations of every entry with each TypeScript from 5.4 to 7, and each way to resolve modules (minutes; needs the npm registry)",
    command: ["node", "test/types/run.ts"],
    smoke: { command: ["node", "test/types/run.ts", "--smoke"] },
    toFigures: linesWith(/^types: /),
  },
  {
    name: "proxies",
    description:
      "nginx, Caddy, HAProxy and Apache as docs/behind-a-proxy.md and docs/proxies-auth.md configure them; those that are installed",
    command: vitest("test/proxies"),
    env: long,
    smoke: { command: vitest("test/proxies", "--testNamePattern=nginx"), env: long },
    toFigures: linesWith(/^proxies: /),
  },
  {
    name: "shutdown",
    description:
      "stops servers under load, 200 times: at once, after shutdownDelay, and with two workers; no request that was sent may be lost (minutes)",
    command: vitest("test/server/shutdown.test.ts"),
    env: { TOKENPAIR_SHUTDOWN_ROUNDS: "200" },
    smoke: { command: vitest("test/server/shutdown.test.ts"), env: { TOKENPAIR_SHUTDOWN_ROUNDS: "8" } },
    toFigures: linesWith(/^shutdown: /),
  },
  {
    name: "deploy",
    description:
      "checks the Dockerfile, the compose file, the unit and the manifests, and runs the packed package as in a container (a minute; needs the npm registry)",
    command: ["node", "test/deploy/run.ts"],
    smoke: { command: ["node", "test/deploy/run.ts", "--smoke"] },
    toFigures: linesWith(/^deploy: /),
  },
  {
    name: "site",
    description: "builds the documentation's site, and checks every internal link (a minute; needs the npm registry)",
    command: ["node", "test/site/run.ts"],
    smoke: { command: ["node", "test/site/run.ts", "--smoke"] },
    toFigures: linesWith(/^site: /),
  },
  {
    name: "cut-over",
    description: "moves the live users of a Django project with simplejwt, if that is installed (minutes)",
    command: vitest("test/django"),
    env: { TOKENPAIR_CUT_OVER_USERS: "200", TOKENPAIR_CUT_OVER_ROUNDS: "20", ...long },
    smoke: {
      command: vitest("test/django"),
      env: { TOKENPAIR_CUT_OVER_USERS: "4", TOKENPAIR_CUT_OVER_ROUNDS: "1", ...long },
    },
    toFigures: linesWith(/^django: /),
  },
  {
    name: "fuzz",
    description: "looks for inputs that break a parser, a minute for each",
    command: ["node", "scripts/fuzz.ts", "60"],
    smoke: { command: ["node", "scripts/fuzz.ts", "0.1"] },
    toFigures(lines) {
      const counts = lines.flatMap((line) => /^fuzz: .*: ([\d,]+) inputs/.exec(line)?.[1]?.replaceAll(",", "") ?? []);
      if (counts.length === 0) return [];
      const sum = counts.reduce((total, count) => total + Number(count), 0);
      return [`${counts.length} parsers, ${sum.toLocaleString("en")} inputs`];
    },
  },
  {
    name: "mutants",
    description: "breaks the source on purpose, and expects the tests to notice each mutant (minutes)",
    command: ["node", "scripts/mutants.ts"],
    smoke: { command: ["node", "scripts/mutants.ts", "--smoke"] },
    toFigures: linesWith(/^[a-z ]+: \d+ of \d+ killed$/),
  },
];
