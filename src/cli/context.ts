/** What a command sees of the process that runs it. */
export interface Context {
  /** The working directory. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Whether somebody sits there who can be asked. */
export function isInteractive({ stdin, stderr }: Context): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}
