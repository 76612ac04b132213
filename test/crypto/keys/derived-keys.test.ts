import { describe, expect, it } from "vitest";
import { deriveSecrets } from "../../../src/crypto/keys/derived-keys.ts";
import { createHmacKey } from "../../../src/crypto/keys/hmac-key.ts";

const secret = "a secret of this test only, of 48 characters....";
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

// The fixed values were computed with Python's hmac and hashlib.
describe("the keys of an installation's secret", () => {
  const { csrfKey, deviceKey, refreshKey } = deriveSecrets(secret);

  it("are those of version 0.1 for CSRF and device tokens", () => {
    expect(hex(csrfKey)).toBe("084397953e52599882f2b7f48c87bd5815f1537d33cb7ade54b3ab6cbacaf6fd");
    expect(hex(deviceKey)).toBe("10300ec012a11c92476f8348a4b7624ebc764723780ef98774f777df71e576ae");
  });

  it("has a key for refresh tokens, which has as many bytes as its hash", () => {
    const same = (algorithm: "HS256" | "HS384" | "HS512", text: string) =>
      createHmacKey({ algorithm, secret: Buffer.from(text, "hex") }).sign("a.b");
    expect(refreshKey("r1").sign("a.b")).toBe(
      same("HS256", "541e967e4aa218dfd900296e01979c0333af7ed1432d209e9f2405da7aa53206"),
    );
    expect(deriveSecrets(secret, "HS384").refreshKey("r1").sign("a.b")).toBe(
      same("HS384", "541e967e4aa218dfd900296e01979c0333af7ed1432d209e9f2405da7aa53206f17ba57af574fce22a06597a6a86e729"),
    );
    expect(deriveSecrets(secret, "HS512").refreshKey("r1").sign("a.b")).toBe(
      same(
        "HS512",
        "541e967e4aa218dfd900296e01979c0333af7ed1432d209e9f2405da7aa53206f17ba57af574fce22a06597a6a86e7294c42e373b578b1605efa183325cb15d4",
      ),
    );
  });

  it("gives the refresh key its name and its use", () => {
    expect(refreshKey("r2")).toMatchObject({ kid: "r2", algorithm: "HS256", use: "refresh" });
  });

  it("are the same for the bytes of a text, and others for another secret", () => {
    expect(deriveSecrets(Buffer.from(secret))).toMatchObject({ csrfKey, deviceKey });
    const other = deriveSecrets(`${secret}.`);
    expect(other.csrfKey).not.toEqual(csrfKey);
    expect(other.deviceKey).not.toEqual(deviceKey);
    expect(other.refreshKey("r1").verify("a.b", refreshKey("r1").sign("a.b"))).toBe(false);
  });

  it("doesn't verify what the secret itself has signed", () => {
    const shared = createHmacKey({ algorithm: "HS256", secret });
    expect(refreshKey("r1").verify("a.b", shared.sign("a.b"))).toBe(false);
  });
});
