import { expect, it } from "vitest";
import { toActivityText } from "../../src/page/activity-panel.ts";

it.each([
  ["login", null, "Logged in"],
  ["refresh", "reuse_detected", "An old token was used again: the session was revoked"],
  ["user_changed", "password_changed", "Password changed"],
  ["sessions_revoked", "revoked", "Logged out remotely"],
  ["refresh", "refused", undefined],
  ["user_changed", "password_rehashed", undefined],
])("shows the event %s %s as %j", (type, detail, text) => {
  expect(toActivityText({ type, detail })).toBe(text);
});
