import type { Start } from "./served.ts";

/** The frameworks whose servers are measured. */
export const frameworks = ["node", "fastify", "hono", "express"] as const;

/** The servers of one framework, by what guards their route; "bare" has no guard. */
export async function loadStarts(framework: string): Promise<Readonly<Record<string, Start>>> {
  const { starts } = await import(`./${framework}.ts`);
  return starts;
}
