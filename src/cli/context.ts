/** The parts of the process that a command uses. */
export interface Context {
  /** The working directory. */
  readonly directory: string;
  /** The environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Returns whether there is a terminal on which to ask questions and show progress. */
export function isInteractive({ stdin, stderr }: Context): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}
