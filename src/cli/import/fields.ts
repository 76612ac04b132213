/** The fields of a record, by their names in the file. */
export type Fields = ReadonlyMap<string, unknown>;
