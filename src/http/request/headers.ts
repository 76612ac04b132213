/** A request's headers: a Fetch `Headers`, or a record such as Node's `IncomingHttpHeaders`, names in any case. */
export type HeaderSource = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/** The value of a header, several joined as RFC 9110 §5.3 and, for `Cookie`, RFC 9113 §8.2.3 say. */
export function readHeader(headers: HeaderSource, name: Lowercase<string>): string | undefined {
  const found = (headers as Readonly<Record<string, unknown>>)[name];
  if (typeof found === "string") return found;
  if (isHeaders(headers)) return headers.get(name) ?? undefined;
  const key = Object.keys(headers).find((key) => key.length === name.length && key.toLowerCase() === name);
  const value = key === undefined ? undefined : headers[key];
  if (value === undefined || typeof value === "string") return value;
  return value.length === 0 ? undefined : value.join(name === "cookie" ? "; " : ", ");
}

/** A name for `readHeader`. Where every request is concerned, it pays to do this once. */
export const toLowerCase = (name: string): Lowercase<string> => name.toLowerCase() as Lowercase<string>;

/** The host that the client asked for: `Host` or, in a record of HTTP/2, `:authority` (RFC 9113 §8.3.1). */
export function readHost(headers: HeaderSource): string | undefined {
  return readHeader(headers, "host") ?? (isHeaders(headers) ? undefined : readHeader(headers, ":authority"));
}

/** By what it can do: not every runtime's `Headers` is the global one. */
function isHeaders(headers: HeaderSource): headers is Headers {
  return typeof (headers as Headers).get === "function";
}
