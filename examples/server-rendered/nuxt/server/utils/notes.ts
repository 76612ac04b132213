/** The notes of every user. A real application has them in its database. */
export const notes = new Map<string, string[]>();
