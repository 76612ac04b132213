/** A request's headers: a Fetch `Headers`, or a record such as Node's `IncomingHttpHeaders`, names in any case. */
export type HeaderSource = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/** The value of a header, several joined as RFC 9110 §5.3 and, for `Cookie`, RFC 9113 §8.2.3 say. */
export function readHeader(headers: HeaderSource, name: string): string | undefined {
  if (isHeaders(headers)) return headers.get(name) ?? undefined;
  const lowerCase = name.toLowerCase();
  const key = lowerCase in headers ? lowerCase : Object.keys(headers).find((key) => key.toLowerCase() === lowerCase);
  const value = key === undefined ? undefined : headers[key];
  if (value === undefined || typeof value === "string") return value;
  return value.length === 0 ? undefined : value.join(lowerCase === "cookie" ? "; " : ", ");
}

/** The host that the client asked for: `Host` or, in a record of HTTP/2, `:authority` (RFC 9113 §8.3.1). */
export function readHost(headers: HeaderSource): string | undefined {
  return readHeader(headers, "Host") ?? (isHeaders(headers) ? undefined : readHeader(headers, ":authority"));
}

/** By what it can do: not every runtime's `Headers` is the global one. */
function isHeaders(headers: HeaderSource): headers is Headers {
  return typeof (headers as Headers).get === "function";
}
