/**
 * The headers of a request: a Fetch `Headers` object, or a record such as Node's `IncomingHttpHeaders`. The names can be in
 * upper or lower case.
 */
export type HeaderSource = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request without its body: a Fetch `Request`, Node's `IncomingMessage`, or a framework's request object. */
export interface RequestHead {
  /** The request's headers. */
  readonly headers: HeaderSource;
  /**
   * The HTTP method, in upper case. Default: the request counts as unsafe, so authentication by cookie also needs the CSRF
   * token.
   */
  readonly method?: string | undefined;
  /**
   * The URL. An absolute URL says whether the request came by https. It also says the host if there is no `Host` header.
   */
  readonly url?: string | undefined;
  /** The connection, in the form of Node's `IncomingMessage`. Only development cookies need it. */
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined;
}

/**
 * Returns a request as it is, and `Headers`, which have no member named `headers`, as a request.
 *
 * @param method of the request, if `source` is its headers.
 */
export function toRequest(source: RequestHead | Headers, method?: string): RequestHead {
  return "headers" in source ? source : { headers: source, method };
}

/**
 * Returns a header's value, or `undefined` if there is none. Joins several values with commas (RFC 9110 §5.3) or, for
 * `Cookie`, with semicolons (RFC 9113 §8.2.3).
 */
export function readHeader(headers: HeaderSource, name: Lowercase<string>): string | undefined {
  const found = (headers as Readonly<Record<string, unknown>>)[name];
  if (typeof found === "string") return found;
  if (isHeaders(headers)) return headers.get(name) ?? undefined;
  const key = Object.keys(headers).find((key) => key.length === name.length && key.toLowerCase() === name);
  const value = key === undefined ? undefined : headers[key];
  if (value === undefined || typeof value === "string") return value;
  return value.length === 0 ? undefined : value.join(name === "cookie" ? "; " : ", ");
}

/**
 * Converts a header name to the form that `readHeader` takes. Code that runs for every request should call it only once,
 * when it is set up.
 */
export const toLowerCase = (name: string): Lowercase<string> => name.toLowerCase() as Lowercase<string>;

/**
 * Returns the host that the client requested, from `Host` or, in a record of HTTP/2 headers, from `:authority` (RFC 9113
 * §8.3.1).
 */
export function readHost(headers: HeaderSource): string | undefined {
  return readHeader(headers, "host") ?? (isHeaders(headers) ? undefined : readHeader(headers, ":authority"));
}

/** Returns the names of the headers, in upper or lower case as they were sent. */
export function readHeaderNames(headers: HeaderSource): readonly string[] {
  return isHeaders(headers) ? [...headers.keys()] : Object.keys(headers).filter((name) => headers[name] !== undefined);
}

/** Checks for a method and not for the class, because some runtimes and polyfills have their own `Headers` class. */
function isHeaders(headers: HeaderSource): headers is Headers {
  return typeof (headers as Headers).get === "function";
}
