import { afterEach, beforeEach, expect, it } from "vitest";
import { login } from "../../../src/flows/login.ts";
import { changePassword } from "../../../src/flows/passwords/change.ts";
import { createUser, setPassword } from "../../../src/flows/users/users.ts";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";

const composed = "caf\u00e9 \u00e0 la cr\u00e8me";
const decomposed = composed.normalize("NFD");

let auth: TestAuth;
let userId: string;

beforeEach(async () => {
  auth = await createTestAuth();
  userId = (await createUser(auth.deps, { username: "bob" })).id;
});
afterEach(() => auth.close());

const logIn = (password: string) => login(auth.deps, { username: "bob", password });
const isAccepted = (password: string) =>
  logIn(password).then(
    () => true,
    () => false,
  );

it.each([composed, decomposed])("accepts a password however its accents are composed", async (password) => {
  await setPassword(auth.deps, userId, password);
  expect([await isAccepted(composed), await isAccepted(decomposed)]).toEqual([true, true]);
  expect(await isAccepted("cafe a la creme")).toBe(false);
});

it("accepts the current password of a change, and later the new one, however their accents are composed", async () => {
  await setPassword(auth.deps, userId, composed);
  const { session } = await logIn(decomposed);
  const change = { userId, sessionId: session.id, currentPassword: decomposed, newPassword: `${decomposed}!` };
  await changePassword(auth.deps, change);
  expect([await isAccepted(`${composed}!`), await isAccepted(`${decomposed}!`), await isAccepted(composed)]).toEqual([
    true,
    true,
    false,
  ]);
});

it("accepts only the unnormalized form of a password that another system hashed in that form", async () => {
  await auth.store.users.setPassword(userId, await auth.passwords.hash(decomposed));
  expect([await isAccepted(decomposed), await isAccepted(composed)]).toEqual([true, false]);
});

it("refuses a password in full-width characters that was set in ordinary ones", async () => {
  await setPassword(auth.deps, userId, "full width horse");
  expect(await isAccepted("\uff46ull width horse")).toBe(false);
});
