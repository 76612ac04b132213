/**
 * Merges metrics of several processes in the text format of Prometheus. The series must differ by a label. Each metric gets
 * one `HELP` and one `TYPE`, with the series of all processes below them, as the format requires.
 *
 * @param texts the metrics of each process. A process that didn't answer is left out.
 */
export function mergeMetrics(texts: readonly string[]): string {
  const families = new Map<string, { readonly head: string[]; readonly series: string[] }>();
  for (const text of texts) {
    let family = { head: [] as string[], series: [] as string[] };
    for (const line of text.split("\n").filter((each) => each !== "")) {
      const [, kind, name = ""] = /^# (HELP|TYPE) (\S+)/.exec(line) ?? [];
      if (kind === undefined) {
        family.series.push(line);
        continue;
      }
      family = families.get(name) ?? { head: [], series: [] };
      families.set(name, family);
      if (!family.head.some((each) => each.startsWith(`# ${kind} `))) family.head.push(line);
    }
  }
  const lines = [...families.values()].flatMap(({ head, series }) => [...head, ...series]);
  return lines.map((line) => `${line}\n`).join("");
}
