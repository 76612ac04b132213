/** Seconds for which a node accepts tokens after a read, in steps of the model's clock. */
export const lease = 1;

/** After how many steps every lease from before is over. */
export const wait = lease + 1;

/** A start of the database server. */
export type Incarnation = 0 | 1;

/** A row of the registry. */
export interface Row {
  readonly id: number;
  readonly incarnation: Incarnation;
  /** For how long the row has been marked as leaving, up to `wait`; `null` if it is not. */
  readonly leavingFor: number | null;
  /** Whether the node has acknowledged the revocation. */
  readonly covers: boolean;
}

/** A statement on its way. What the database answers is decided when it runs, which may be long before the answer arrives. */
export interface Statement<Result> {
  /** Since it was sent, up to `wait`. */
  readonly age: number;
  /** `null` until the database has run it. */
  readonly result: Result | null;
}

/** What a read of the feed has seen. */
export interface ReadResult {
  readonly incarnation: Incarnation;
  readonly seesRevocation: boolean;
  readonly membership: "member" | "leaving" | "absent";
}

/** A row of the node's own. */
interface Registration {
  readonly row: number;
  readonly incarnation: Incarnation;
  /** Whether a read has counted under it: then the node doesn't remove the row itself. */
  readonly hasCounted: boolean;
}

/** A process that accepts tokens from memory. */
export interface Node {
  /** Its registration, once that has been answered. */
  readonly registration: Registration | null;
  readonly registering: Omit<Statement<Registration>, "age"> | null;
  readonly read: (Statement<ReadResult> & { readonly row: number | null }) | null;
  /** Since the sending of the last read that counts, up to `wait`: then the node accepts nothing. */
  readonly freshFor: number;
  readonly hasRevocation: boolean;
  /** Whether the revocation was acknowledged, for the current registration: not yet, on its way, or done. */
  readonly acknowledgement: "none" | "owed" | "sent" | "done";
}

/** What a look at the registry has seen. */
export interface LookResult {
  readonly incarnation: Incarnation;
  readonly settled: Incarnation | null;
  /** Whether every row covers the revocation; then without the rows that are leaving. */
  readonly isCovered: boolean;
  readonly isCoveredByStaying: boolean;
}

/** Who revokes and waits for the confirmation: a server, or a command that has just started. */
export interface Revoker {
  /** Since the commit was answered, up to `wait`; `null` before it. */
  readonly committedFor: number | null;
  readonly commitIncarnation: Incarnation | null;
  /** The incarnation that the last answer has shown, and for how long it is known, up to `wait`. */
  readonly known: Incarnation | null;
  readonly knownFor: number;
  readonly look:
    | (Statement<LookResult> & {
        readonly isAfterCommit: boolean;
        /** What was known when it was sent. */
        readonly known: Incarnation | null;
        readonly knownFor: number;
      })
    | null;
  readonly confirmed: "acks" | "expiry" | null;
}

/** A state of the model. */
export interface World {
  readonly incarnation: Incarnation;
  readonly isRevoked: boolean;
  /** The incarnation of which a process has recorded that the registry is complete. */
  readonly settled: Incarnation | null;
  readonly rows: readonly Row[];
  readonly registrations: number;
  readonly node: Node;
  readonly revoker: Revoker;
}

/** A node that has just read the feed, the registry with its row, and a revoker that has just started. */
export const firstWorld: World = {
  incarnation: 0,
  isRevoked: false,
  settled: 0,
  rows: [{ id: 1, incarnation: 0, leavingFor: null, covers: false }],
  registrations: 1,
  node: {
    registration: { row: 1, incarnation: 0, hasCounted: true },
    registering: null,
    read: null,
    freshFor: 0,
    hasRevocation: false,
    acknowledgement: "none",
  },
  revoker: {
    committedFor: null,
    commitIncarnation: null,
    known: null,
    knownFor: 0,
    look: null,
    confirmed: null,
  },
};

/** I13: after a confirmed answer, no node accepts a token that was revoked. */
export function isViolated({ node, revoker }: World): boolean {
  return revoker.confirmed !== null && node.freshFor <= lease && !node.hasRevocation;
}
