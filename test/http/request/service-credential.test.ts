import { describe, expect, it } from "vitest";
import { readServiceCredential } from "../../../src/http/request/service-credential.ts";

const read = (authorization: string) => readServiceCredential(new Headers({ Authorization: authorization }));
const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

describe("readServiceCredential", () => {
  it("returns null if there is no header", () => {
    expect(readServiceCredential(new Headers())).toBeNull();
  });

  it("returns the credential of a bearer header, in any case of the scheme and with any space after it", () => {
    for (const header of ["Bearer tps_x", "bearer tps_x", "BEARER \t tps_x"]) {
      expect(read(header)).toEqual({ credential: "tps_x" });
    }
  });

  it("returns name and credential of a basic header; the name ends at the first colon", () => {
    expect(read(basic("billing:tps_x"))).toEqual({ name: "billing", credential: "tps_x" });
    expect(read(basic("billing:tps_x:y").replace("Basic", "basic"))).toEqual({
      name: "billing",
      credential: "tps_x:y",
    });
    expect(read(basic(":tps_x"))).toEqual({ name: "", credential: "tps_x" });
  });

  it.each([
    "Bearer",
    "Bearer tps_x tps_y",
    "Digest tps_x",
    "tps_x",
    "Basic",
    "Basic !!!!",
    basic("no colon"),
    `${basic("billing:tps_x")}, ${basic("billing:tps_x")}`,
  ])("returns a text that is no credential for %j", (header) => {
    expect(read(header)).toEqual({ credential: "" });
  });
});
