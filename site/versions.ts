/** The versions of the documentation, newest first. The site's header and home page show them. */

/** One version, and where its documentation is. */
export interface DocumentedVersion {
  /** Its major and minor number, such as "0.2". */
  readonly name: string;
  /** What readers should know about it. `null` for the latest release. */
  readonly note: "next" | "old" | null;
  /** Where its documentation is: a path on this site, or an address elsewhere. */
  readonly link: string;
}

/**
 * Every version that is documented. To serve an older version too, build its tag with `SITE_BASE=/0.2/ node site/build.ts`, copy `site/dist/`
 * to the folder `0.2/` of this site, and put that path into its link here.
 */
export const versions: readonly DocumentedVersion[] = [
  { name: "0.2", note: "next", link: "/" },
  { name: "0.1", note: "old", link: "https://github.com/tokenpair/tokenpair/tree/v0.1.0/docs" },
];

/** Returns the name of a version and its note, such as "0.2 (next)". */
export function toLabel({ name, note }: DocumentedVersion): string {
  return note === null ? name : `${name} (${note})`;
}
