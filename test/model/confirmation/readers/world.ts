/** For how many steps of the model's clock a node accepts tokens after a read, and a reader after what a frame proves. */
export const lease = { node: 1, reader: 2 } as const;

/** A lease that the registry has for a node. */
export type Lease = (typeof lease)["node" | "reader"];

/** After how many steps every lease from before is over. Ages are counted up to it. */
export const longest = lease.reader + 1;

/** A row of the registry. */
export interface Row {
  readonly id: number;
  readonly lease: Lease;
  /** For how long the row has been marked as leaving; `null` if it is not. */
  readonly leavingFor: number | null;
  /** The lease that the process has heard of that removes the row. */
  readonly markedLease: Lease;
  /** Whether the node has acknowledged the revocation. */
  readonly covers: boolean;
}

/** A statement on its way. What the database answers is decided when it runs, which may be long before the answer arrives. */
export interface Statement<Result> {
  /** `null` until the database has run it. */
  readonly result: Result | null;
}

/** A read of the feed. */
export interface Read extends Statement<{ readonly seesRevocation: boolean; readonly isMember: boolean }> {
  /** Since it was sent. */
  readonly age: number;
  readonly row: number;
  /** The lease that the registry had for the node when the read was sent. */
  readonly lease: Lease;
}

/** A frame on its way to the reader. */
export interface Frame {
  /** Since the time up to which it has everything. */
  readonly age: number;
  readonly hasRevocation: boolean;
}

/** A process that reads the store, accepts tokens from memory, and sends frames to a reader. */
export interface Node {
  readonly registration: number | null;
  readonly registering: Statement<{ readonly row: number }> | null;
  readonly raising: Statement<{ readonly isRaised: boolean }> | null;
  /** The lease that the node knows the registry to have, and whether a reader needs the longer one. */
  readonly lease: Lease;
  readonly isLongerWanted: boolean;
  /** Whether frames may be made for that reader. */
  readonly isGranted: boolean;
  readonly read: Read | null;
  /** Since the sending of the last read that counts. */
  readonly freshFor: number;
  readonly hasRevocation: boolean;
  /** Whether the revocation was acknowledged, for the current registration: not yet, on its way, or done. */
  readonly acknowledgement: "none" | "owed" | "sent" | "done";
  /** Since the last frame without the revocation was made, up to `longest`: then no reader relies on it. */
  readonly reliedOnFor: number;
  /** Whether the reader has acknowledged the revocation to the node. */
  readonly isKnown: boolean;
  readonly isStopped: boolean;
}

/** A service that accepts tokens by what the node sends to it. It has no store. */
export interface Reader {
  /** Since the time up to which it has everything. */
  readonly freshFor: number;
  readonly hasRevocation: boolean;
  /** What is on its way to it, in the order of the stream. */
  readonly frames: readonly Frame[];
  /** Whether it has said that it has the revocation. */
  readonly acknowledgement: "none" | "sent";
}

/** What a look at the registry has seen. */
export interface LookResult {
  readonly isCovered: boolean;
  /** The longest lease of a row that doesn't cover the revocation. */
  readonly silentLease: number;
}

/** Who revokes and waits for the confirmation. */
export interface Revoker {
  /** Whether it is the node itself, which has the revocation when the commit is answered. */
  readonly isNode: boolean;
  /** Since the commit was answered; `null` before it. */
  readonly committedFor: number | null;
  readonly look: Statement<LookResult> | null;
  /** The longest lease of a silent row in the last look; `null` before the first one. */
  readonly silentLease: number | null;
  readonly confirmed: "acks" | "expiry" | null;
}

/** A state of the model. */
export interface World {
  readonly isRevoked: boolean;
  readonly rows: readonly Row[];
  readonly registrations: number;
  readonly node: Node;
  readonly reader: Reader;
  readonly revoker: Revoker;
}

/** A node that has just read the feed, and a reader that has nothing. */
const firstWorld: World = {
  isRevoked: false,
  rows: [{ id: 1, lease: lease.node, leavingFor: null, markedLease: lease.node, covers: false }],
  registrations: 1,
  node: {
    registration: 1,
    registering: null,
    raising: null,
    lease: lease.node,
    isLongerWanted: false,
    isGranted: false,
    read: null,
    freshFor: 0,
    hasRevocation: false,
    acknowledgement: "none",
    reliedOnFor: longest,
    isKnown: false,
    isStopped: false,
  },
  reader: { freshFor: longest, hasRevocation: false, frames: [], acknowledgement: "none" },
  revoker: { isNode: false, committedFor: null, look: null, silentLease: null, confirmed: null },
};

/** The same, and the reader has just got its first frame. */
const worldWithReader: World = {
  ...firstWorld,
  rows: firstWorld.rows.map((row) => ({ ...row, lease: lease.reader, markedLease: lease.reader })),
  node: { ...firstWorld.node, lease: lease.reader, isLongerWanted: true, isGranted: true, reliedOnFor: 0 },
  reader: { ...firstWorld.reader, freshFor: 0 },
};

/** The same, much later: the node was silent for so long that it was removed, and must register again. */
const worldAfterSilence: World = {
  ...worldWithReader,
  rows: [],
  node: { ...worldWithReader.node, registration: null, freshFor: longest, reliedOnFor: longest },
  reader: { ...worldWithReader.reader, freshFor: longest },
};

/** The states from which the model starts. Another process revokes, or the node itself does. */
export const firstWorlds: readonly World[] = [firstWorld, worldWithReader, worldAfterSilence].flatMap((world) =>
  [false, true].map((isNode) => ({ ...world, revoker: { ...world.revoker, isNode } })),
);

/** I13: after a confirmed answer, neither the node nor its reader accepts a token that was revoked. */
export function isViolated({ node, reader, revoker }: World): boolean {
  if (revoker.confirmed === null) return false;
  const nodeAccepts = node.freshFor <= lease.node && !node.hasRevocation;
  return nodeAccepts || (reader.freshFor <= lease.reader && !reader.hasRevocation);
}
