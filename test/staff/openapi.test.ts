import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createValidator, type OpenApiDocument, toOperations } from "../http/openapi/validator.ts";
import { createStaffScene, type StaffScene } from "./setup.ts";

let scene: StaffScene;
let access: string;
let document: OpenApiDocument;
beforeAll(async () => {
  scene = await createStaffScene();
  ({ access } = await scene.addUser("ada", "admin"));
  document = JSON.parse(await scene.text(access, "schema/"));
});
afterAll(() => scene.close());

const operations = () => toOperations(document).filter(({ path }) => path.startsWith("/api/admin/"));

describe("the OpenAPI document of the staff API", () => {
  it("names each operation once, with its path's parameters and schemes that it defines", () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations()) {
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      for (const scheme of operation.security.flatMap(Object.keys)) {
        expect(document.components.securitySchemes).toHaveProperty(scheme);
      }
    }
  });

  it("says whose id is in each path", () => {
    const found = operations().flatMap(({ path, operation }) =>
      (operation.parameters ?? []).flatMap(({ in: place, description }) =>
        place === "path" ? [[path.match(/\w+(?=\/\{)/)?.[0], description] as const] : [],
      ),
    );
    expect(Object.fromEntries(found)).toEqual({
      users: "The id of a user.",
      sessions: "The id of a session.",
      keys: "The id of a key.",
    });
  });

  it("describes the answers of every path that reads, and its refusals", async () => {
    const validator = createValidator();
    const reads = operations().filter(({ method }) => method === "GET");
    expect(reads.length).toBeGreaterThan(11);
    for (const { path, operation } of reads) {
      const at = path.replace("/api/admin/", "").replace("{id}", "1");
      const query = at === "audit/export/" ? "?format=csv" : "";
      const bob = await scene.addUser(`bob-${operation.operationId}`);
      for (const [token, url] of [
        [access, at + query],
        [bob.access, at + query],
        ["wrong", at + query],
        [access, `${at}?unknown=1`],
      ] as const) {
        const response = await scene.request(token, url);
        const faults = await validator.findFaults(operation, response);
        await response.body?.cancel();
        expect([url, response.status, faults]).toEqual([url, response.status, []]);
      }
    }
  });
});
