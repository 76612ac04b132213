import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { toPublicSuffixesModule } from "../../../scripts/public-suffixes.ts";
import { isSharedDomain } from "../../../src/core/settings/public-suffixes.ts";

it("finds domains below which different owners can have hosts", () => {
  for (const domain of ["co.uk", "github.io", "vercel.app", "amazonaws.com", "kawasaki.jp", "foo.kawasaki.jp"]) {
    expect([domain, isSharedDomain(domain)]).toEqual([domain, true]);
  }
});

it("finds no other owner below a registered domain or an exception to a wildcard", () => {
  for (const domain of [
    "example.com",
    "app.example.com",
    "example.co.uk",
    "mysite.github.io",
    "city.kawasaki.jp",
    "www.city.kawasaki.jp",
    "corp.internal",
    "k.uk",
  ]) {
    expect([domain, isSharedDomain(domain)]).toEqual([domain, false]);
  }
});

it("ships the list that the script makes", async () => {
  const shipped = readFileSync(new URL("../../../src/core/settings/public-suffixes-data.ts", import.meta.url), "utf8");
  expect(shipped).toBe(await toPublicSuffixesModule());
});
