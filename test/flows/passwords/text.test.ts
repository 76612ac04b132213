import { afterEach, beforeEach, expect, it } from "vitest";
import { changePassword } from "../../../src/flows/change-password.ts";
import { login } from "../../../src/flows/login.ts";
import { createUser, setPassword } from "../../../src/flows/users.ts";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";

const composed = "caf\u00e9 \u00e0 la cr\u00e8me";
const decomposed = composed.normalize("NFD");

let auth: TestAuth;
let userId: string;

beforeEach(async () => {
  auth = await createTestAuth();
  userId = (await createUser(auth.deps, { username: "bob" }))?.id ?? "";
});
afterEach(() => auth.close());

const logIn = (password: string) => login(auth.deps, { username: "bob", password });
const opens = (password: string) =>
  logIn(password).then(
    () => true,
    () => false,
  );

it.each([composed, decomposed])("a password opens however its accents are composed", async (password) => {
  await setPassword(auth.deps, userId, password);
  expect([await opens(composed), await opens(decomposed)]).toEqual([true, true]);
  expect(await opens("cafe a la creme")).toBe(false);
});

it("so does the current one when it is changed, and the next one after it", async () => {
  await setPassword(auth.deps, userId, composed);
  const { session } = await logIn(decomposed);
  const change = { userId, sessionId: session.id, currentPassword: decomposed, newPassword: `${decomposed}!` };
  await changePassword(auth.deps, change);
  expect([await opens(`${composed}!`), await opens(`${decomposed}!`), await opens(composed)]).toEqual([
    true,
    true,
    false,
  ]);
});

it("a hash that was made elsewhere of a form that is not normalized opens to that form", async () => {
  await auth.store.users.setPassword(userId, await auth.passwords.hash(decomposed));
  expect([await opens(decomposed), await opens(composed)]).toEqual([true, false]);
});

it("compatible characters are not the same: full width is another password", async () => {
  await setPassword(auth.deps, userId, "full width horse");
  expect(await opens("\uff46ull width horse")).toBe(false);
});
