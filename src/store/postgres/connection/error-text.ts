/** Descriptions of the SQLSTATEs and network errors that operators may see. */
const descriptions: Readonly<Record<string, string>> = {
  "28P01": "password authentication failed",
  "28000": "the server doesn't accept this user from this host: check pg_hba.conf",
  "3D000": "the database doesn't exist",
  "25006": "the server is read-only, for example a standby",
  "53100": "the disk is full",
  "53300": "the server has no connection left: raise max_connections or lower maxConnections",
  "55P03": "another transaction held a row for longer than lockTimeout",
  "57014": "the statement took longer than statementTimeout",
  "57P01": "the server is shutting down",
  "57P03": "the server is starting or shutting down",
  ECONNREFUSED: "no server listens on this address",
  ENOTFOUND: "the host name doesn't exist",
  ETIMEDOUT: "connection timed out",
};

/** Returns an error code, with its description if there is one. */
export function describeCode(code: string): string {
  return Object.hasOwn(descriptions, code) ? `${code}, ${descriptions[code]}` : code;
}
