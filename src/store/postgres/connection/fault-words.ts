/** What operators meet who set a database up, or run it: states of SQL and of the network, in words. */
const words: Readonly<Record<string, string>> = {
  "28P01": "the password was refused",
  "28000": "the server does not let this user in",
  "3D000": "there is no such database",
  "25006": "the database is read only, as a standby is",
  "53100": "the disk is full",
  "53300": "there are too many connections",
  "57P01": "the server is shutting down",
  "57P03": "the server is starting or shutting down",
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no such host",
  ETIMEDOUT: "nobody answers",
};

/** A code, with words for it where it has any. */
export function withWords(code: string): string {
  return Object.hasOwn(words, code) ? `${code}, ${words[code]}` : code;
}
