const prepared = (process.env["TOKENPAIR_FRAMEWORKS"] ?? "").split(",");

/**
 * Returns whether `test/frameworks/run.ts` has just installed and built this application. If not, its tests are skipped: what is
 * left of an earlier run would test an earlier build.
 */
export function isPrepared(application: string): boolean {
  const is = prepared.includes(application);
  if (!is) console.log(`frameworks: ${application}: skipped; run it with \`npm run proof -- frameworks\``);
  return is;
}
