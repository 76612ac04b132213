import type { StaffHealth, StaffSetting } from "./api.ts";
import type { Check } from "./health/check.ts";

/** What `tokenpair serve` knows, and an application that mounts the console doesn't. */
export interface ServerParts {
  /** Runs the checks of `tokenpair doctor`. */
  readonly runChecks: () => Promise<readonly Check[]>;
  /** The server's own settings that the staff may see. */
  readonly settings: readonly StaffSetting[];
  /** Returns facts about the database. */
  readonly describeDatabase: () => Promise<StaffHealth["database"]>;
}
