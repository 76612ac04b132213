type Names = readonly (readonly [RegExp, string])[];

/**
 * The browsers, in the order in which they are tried. The order is important, because the user agent of most browsers also
 * contains the names of browsers further down the list.
 */
const browsers: Names = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/(?:\b|Headless)(?:Chrome|Chromium|CriOS)\//, "Chrome"],
  [/\bVersion\/.*\bSafari\//, "Safari"],
];

const systems: Names = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMac OS X\b/, "Mac"],
  [/\bLinux\b/, "Linux"],
];

const find = (names: Names, userAgent: string) => names.find(([pattern]) => pattern.test(userAgent))?.[1];

/** Returns the name of a device, such as "Firefox on Windows". Programs other than browsers keep their own name. */
export function toDeviceName(userAgent: string | null): string {
  const text = userAgent ?? "";
  const [browser, system] = [find(browsers, text), find(systems, text)];
  if (browser !== undefined) return system === undefined ? browser : `${browser} on ${system}`;
  const program = /^[\w.-]{1,40}(?=\/|\s|$)/.exec(text)?.[0];
  return program === undefined || program === "Mozilla" ? (system ?? "Unknown device") : program;
}
