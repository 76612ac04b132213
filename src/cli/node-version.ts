/** The oldest Node that has all we need, as in the `engines` of package.json. */
export const oldestNode = "22.13";

/** Whether Node's `version`, such as "24.21.0", is `oldestNode` or newer. */
export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode.split(".").map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
