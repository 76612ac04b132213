import { expect, it } from "vitest";
import { defaultSettings } from "../../../src/core/settings/settings.ts";
import { toHashFormState } from "../../../src/crypto/passwords/hash-form.ts";

const passwordPeppers = ["new:0123456789abcdef", "old:fedcba9876543210"];
const own = (parameters: string) => `$argon2id$v=19$${parameters}`;

it.each([
  ["of the current parameters", own("m=19456,t=2,p=1"), {}, "current"],
  ["of larger parameters", own("m=65536,t=3,p=4"), {}, "current"],
  ["of smaller parameters", own("m=19456,t=1,p=1"), {}, "outdated"],
  ["of the current pepper", own("m=19456,t=2,p=1,keyid=bmV3"), { passwordPeppers }, "current"],
  ["of an older pepper", own("m=19456,t=2,p=1,keyid=b2xk"), { passwordPeppers }, "outdated"],
  ["of no pepper where there is one", own("m=19456,t=2,p=1"), { passwordPeppers }, "outdated"],
  ["of a format of Django's", "pbkdf2_sha256", {}, "django"],
  ["of MD5", "md5", {}, "unverifiable"],
  ["of MD5 where that is let in", "md5", { acceptMd5PasswordHashes: true }, "django"],
  ["of parameters beyond all limits", own("m=4000000,t=2,p=1"), {}, "unverifiable"],
  ["that are none", "!", {}, "unverifiable"],
  ["of nothing known", "P", {}, "unverifiable"],
  ["of no text", "", {}, "unverifiable"],
])("hashes %s are told apart", (_, form, settings, state) => {
  expect(toHashFormState(form, { ...defaultSettings, ...settings })).toEqual({ state });
});

it("a pepper that is not among the settings is named", () => {
  const form = own("m=19456,t=2,p=1,keyid=b2xk");
  for (const peppers of [[], passwordPeppers.slice(0, 1)]) {
    const state = toHashFormState(form, { ...defaultSettings, passwordPeppers: peppers });
    expect(state).toEqual({ state: "pepper_missing", pepperId: "old" });
  }
});
