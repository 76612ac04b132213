import type { AuthUser } from "../../core/user.ts";
import { toUsernameKey } from "../../core/username.ts";
import { createDeviceToken } from "../../crypto/device-tokens.ts";
import type { Deps } from "../deps.ts";

/** How a device token is made. */
export interface DeviceTokenOptions {
  /** The user's epoch from which on the token counts. */
  readonly userEpoch: number;
  /** The form in which the user's name is unique. Default: that of `user.username`. */
  readonly usernameKey?: string;
}

/** Returns a token that marks a device as known to the user's account. Await `deps.keys.ready` first. */
export function toDeviceToken(
  { settings, keys, clock, random }: Pick<Deps, "settings" | "keys" | "clock" | "random">,
  { id: userId, username = "" }: AuthUser,
  { userEpoch, usernameKey = toUsernameKey(username, settings.usernameCaseSensitive) }: DeviceTokenOptions,
): string {
  const [deviceKey] = keys.current().deviceKeys;
  return createDeviceToken(deviceKey, usernameKey, { userId, userEpoch, issuedAt: clock.now() }, random);
}
