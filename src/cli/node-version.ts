/** The oldest version of Node that tokenpair supports, as in the `engines` of package.json. */
export const oldestNode = "22.13";

/** Returns whether a version of Node, for example "24.21.0", is `oldestNode` or later. */
export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode.split(".").map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
