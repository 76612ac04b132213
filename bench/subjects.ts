/** Something that is measured: `run` of the file of this name. */
export interface SubjectEntry {
  readonly name: string;
  readonly title: string;
  /** Whether it measures libraries that have to be installed first. */
  readonly needsPeers: boolean;
}

/** Everything that `npm run bench` measures, in the order of the report. */
export const subjects: readonly SubjectEntry[] = [
  { name: "verify", title: "verify: one access token", needsPeers: true },
  { name: "authenticate", title: "authenticate: the headers of a request", needsPeers: false },
  { name: "http", title: "HTTP: a trivial route, bare and behind a check", needsPeers: true },
  { name: "refresh", title: "refresh: rotations a second, alone and together", needsPeers: false },
  { name: "revocation", title: "revocation: its way to every node, and the index that holds it", needsPeers: false },
  { name: "feed", title: "feed: revocations on their way to services without a database", needsPeers: false },
  { name: "login", title: "login: hashing passwords, and what it does to other requests", needsPeers: false },
  { name: "workers", title: "workers: one process and two", needsPeers: true },
  { name: "start", title: "start: from the process to ready, and its memory", needsPeers: false },
  { name: "footprint", title: "footprint: what an installation needs", needsPeers: false },
  { name: "growth", title: "growth: a million sessions, refreshed ten times", needsPeers: false },
  { name: "staff", title: "staff: the lists of the console, with a million sessions", needsPeers: false },
];
