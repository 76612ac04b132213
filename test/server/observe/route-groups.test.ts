import { expect, it } from "vitest";
import { defaultSettings } from "../../../src/core/settings/settings.ts";
import { endpoints } from "../../../src/http/routes/index.ts";
import { toRouteGroup } from "../../../src/server/observe/route-groups.ts";

it("has a group for every endpoint, so that none is measured as other", () => {
  const paths = endpoints.map(({ path }) => path(defaultSettings));
  expect(paths.filter((path) => toRouteGroup(path, defaultSettings) === "other")).toEqual([]);
});
