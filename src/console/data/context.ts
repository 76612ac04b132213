import { createContext, useContext } from "react";
import type { Client } from "../../client/index.ts";
import type { StaffMe } from "../../staff/api.ts";
import type { Clock } from "./clock.ts";
import type { Live } from "./live.ts";
import type { ConsoleSettings } from "./settings.ts";
import type { StaffApi } from "./staff-api.ts";

/** What every part of the console uses. It is created once. */
export interface ConsoleParts {
  readonly settings: ConsoleSettings;
  readonly client: Client;
  readonly api: StaffApi;
  readonly clock: Clock;
  readonly live: Live;
}

/** Hands the parts down. */
export const PartsContext = createContext<ConsoleParts | null>(null);

/** Returns the parts of the console. */
export function useParts(): ConsoleParts {
  const parts = useContext(PartsContext);
  if (parts === null) throw new TypeError("no PartsContext");
  return parts;
}

/** Hands down who is logged in. */
export const MeContext = createContext<StaffMe | null>(null);

/** Returns the member of the staff who is logged in. */
export function useMe(): StaffMe {
  const me = useContext(MeContext);
  if (me === null) throw new TypeError("no MeContext");
  return me;
}
