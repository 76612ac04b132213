/** On every response, unless it says otherwise. */
export const standardHeaders: Readonly<Record<string, string>> = Object.freeze({
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "same-origin",
});

/** Adds the standard headers that `response` does not have. */
export function withStandardHeaders(response: Response): Response {
  for (const [name, value] of Object.entries(standardHeaders)) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}
