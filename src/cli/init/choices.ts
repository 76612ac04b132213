import type { Context } from "../context.ts";
import { isInteractive } from "../context.ts";
import { UsageError } from "../errors.ts";

/** The frameworks that `init` has code for. */
export const frameworks = ["express", "fastify", "hono", "node", "nest", "next"] as const;

/** The databases that tokenpair has a store for. */
export const databases = ["sqlite", "postgres"] as const;

/** What keeps a user's tokens: cookies in a browser, or the storage of an app. */
export const frontEnds = ["cookie", "bearer"] as const;

/** What `init` sets up. */
export interface Choices {
  readonly framework: (typeof frameworks)[number];
  readonly database: (typeof databases)[number];
  readonly frontEnd: (typeof frontEnds)[number];
}

const questions = {
  framework: { message: "Which framework does your server use?", choices: frameworks, flag: "--framework" },
  database: { message: "Which database?", choices: databases, flag: "--database" },
  frontEnd: { message: "Where does the front end keep its tokens?", choices: frontEnds, flag: "--front-end" },
} as const;

const descriptions: Readonly<Record<string, string>> = {
  node: "node (no framework)",
  sqlite: "SQLite, for one machine",
  postgres: "PostgreSQL, for one machine or many",
  cookie: "in cookies (web pages)",
  bearer: "in its own storage (apps)",
};

/**
 * Returns the choices: given by flags, answered on the terminal or, with `yes`, the defaults.
 *
 * @throws UsageError if a choice is missing and there is no terminal, or if Next is to use bearer tokens.
 */
export async function choose(
  context: Context,
  given: Partial<Choices> & { readonly yes?: true },
  detected: Choices["framework"] | undefined,
): Promise<Choices> {
  const decide = async <T extends string>(name: keyof Choices, value: T | undefined, fallback: T): Promise<T> =>
    value ?? (given.yes ? fallback : ((await ask(context, name, fallback)) as T));
  const framework = await decide<Choices["framework"]>("framework", given.framework, detected ?? "express");
  const database = await decide<Choices["database"]>("database", given.database, "sqlite");
  // The proxy and the pages of tokenpair/next read cookies.
  const frontEnd =
    framework === "next"
      ? (given.frontEnd ?? "cookie")
      : await decide<Choices["frontEnd"]>("frontEnd", given.frontEnd, "cookie");
  if (framework === "next" && frontEnd === "bearer") {
    throw new UsageError("--front-end bearer can't be used with next: its pages read cookies");
  }
  return { framework, database, frontEnd };
}

async function ask(context: Context, name: keyof Choices, fallback: string): Promise<string> {
  const { message, choices, flag } = questions[name];
  if (!isInteractive(context)) {
    throw new UsageError(`${flag} is missing, and there is no terminal to ask; set it, or use --yes for the defaults`);
  }
  const { default: select } = await import("@inquirer/select");
  return select(
    {
      message,
      default: fallback,
      choices: choices.map((value) => ({ value: value as string, name: descriptions[value] ?? value })),
    },
    { input: context.stdin, output: context.stderr },
  );
}
