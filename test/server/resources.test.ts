import { describe, expect, it } from "vitest";
import { createResources } from "../../src/server/resources.ts";

describe("the resources of a server", () => {
  it("are closed once, the last one first, also if one of them fails to close", async () => {
    const closed: string[] = [];
    const resources = createResources();
    resources.add(() => void closed.push("store"));
    resources.add(async () => {
      closed.push("auth");
      throw new Error("auth failed");
    });
    resources.add(() => {
      closed.push("listener");
      throw new Error("listener failed");
    });
    const closing = resources.close();
    await expect(closing).rejects.toThrow("listener failed");
    await expect(resources.close()).rejects.toThrow("listener failed");
    expect(closed).toEqual(["listener", "auth", "store"]);
  });
});
