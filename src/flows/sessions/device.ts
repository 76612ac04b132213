import type { AuthUser } from "../../core/user.ts";
import { toUsernameKey } from "../../core/username.ts";
import { createDeviceToken } from "../../crypto/device-tokens.ts";
import type { Deps } from "../deps.ts";

type DeviceDeps = Pick<Deps, "settings" | "keys" | "clock" | "random">;

/** For which account a device token is made. */
interface DeviceAccount {
  /** The form in which the user's name is unique. Default: that of `user.username`. */
  readonly usernameKey?: string;
}

/** How a device token is made. */
export interface DeviceTokenOptions extends DeviceAccount {
  /** The user's epoch from which on the token counts. */
  readonly userEpoch: number;
}

/**
 * Returns a token that marks a device as known to the user's account. Await `deps.keys.ready` first.
 *
 * @throws AuthError `unavailable` if the keys are outdated.
 */
export function toDeviceToken(deps: DeviceDeps, user: AuthUser, options: DeviceTokenOptions): string {
  return prepareDeviceToken(deps, user, options)(options.userEpoch);
}

/**
 * Prepares a device token before a change of which the result says the user's epoch.
 *
 * @returns a function that creates the token, and doesn't fail if the keys have become outdated meanwhile.
 * @throws AuthError as `toDeviceToken`.
 */
export function prepareDeviceToken(
  { settings, keys, clock, random }: DeviceDeps,
  { id: userId, username = "" }: AuthUser,
  { usernameKey = toUsernameKey(username, settings.usernameCaseSensitive) }: DeviceAccount = {},
): (userEpoch: number) => string {
  const [deviceKey] = keys.current().deviceKeys;
  return (userEpoch) => createDeviceToken(deviceKey, usernameKey, { userId, userEpoch, issuedAt: clock.now() }, random);
}
