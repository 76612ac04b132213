/** The path below which the site is served, such as "/0.2/": the variable `SITE_BASE`, or "/". */
export const base = process.env["SITE_BASE"] ?? "/";
