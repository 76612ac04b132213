import { describe, expect, it } from "vitest";
import { toDeviceName } from "../../src/page/device-name.ts";

describe("the name of a device", () => {
  const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";

  it.each([
    ["Chrome on Linux", `Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/147.0.0.0 Safari/537.36`],
    ["Chrome on Linux", `Mozilla/5.0 (X11; Linux x86_64) ${webkit} HeadlessChrome/147.0.0.0 Safari/537.36`],
    ["Chrome on Android", `Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/147.0.0.0 Mobile Safari/537.36`],
    ["Chrome on ChromeOS", `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${webkit} Chrome/147.0.0.0 Safari/537.36`],
    ["Edge on Windows", `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/147.0.0.0 Safari/537.36 Edg/147.0`],
    ["Opera on Mac", `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${webkit} Chrome/147.0 Safari/537.36 OPR/121.0`],
    ["Firefox on Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0"],
    ["Safari on Mac", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18.5 Safari/605.1.15"],
    ["Safari on iPhone", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E Safari/604.1"],
    ["Chrome on iPad", "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) CriOS/147.0 Mobile/15E148 Safari/604.1"],
  ])("names the device %s after the user agent of its browser", (name, userAgent) => {
    expect(toDeviceName(userAgent)).toBe(name);
  });

  it.each([
    ["curl", "curl/8.5.0"],
    ["python-requests", "python-requests/2.32.3"],
    ["Linux", "Mozilla/5.0 (X11; Linux x86_64)"],
  ])("names the device %s after a user agent that isn't a known browser", (name, userAgent) => {
    expect(toDeviceName(userAgent)).toBe(name);
  });

  it("names the device Unknown device if the user agent says nothing about it", () => {
    for (const userAgent of [null, "", "Mozilla/5.0", "<b>bold</b>", "x".repeat(500)]) {
      expect(toDeviceName(userAgent)).toBe("Unknown device");
    }
  });
});
