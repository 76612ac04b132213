import type { Context } from "hono";

/**
 * Returns the request with a body that can be read. If a middleware has read the body through `c.req`, as validators and loggers
 * do, the request is a copy with the body that Hono keeps.
 *
 * @throws Error if a middleware has read the body through `c.req.raw`, because Hono then keeps nothing.
 */
export async function toReadableRequest({ req }: Context): Promise<Request> {
  const { raw } = req;
  if (!raw.bodyUsed) return raw;
  if (Object.keys(req.bodyCache).length === 0) {
    throw new Error(
      "A middleware before authRoutes(auth) has read the body through c.req.raw. Read it through c.req, for example with " +
        "c.req.json(), or mount authRoutes(auth) first.",
    );
  }
  const { method, url, signal } = raw;
  const headers = new Headers(raw.headers);
  // The copy's body can have another length, for example without the white space of the original.
  headers.delete("Content-Length");
  return new Request(url, { method, headers, signal, body: await toBody(req) });
}

async function toBody(req: Context["req"]): Promise<string | ArrayBuffer | Blob | FormData | URLSearchParams> {
  // Hono's own conversions differ by version, and would make a parsed form multipart/form-data.
  const { text, arrayBuffer, blob, formData, json } = req.bodyCache;
  const unparsed = await (text ?? arrayBuffer ?? blob);
  if (unparsed !== undefined) return unparsed;
  // The endpoints refuse an empty body, as they refuse one that can't be parsed.
  if (formData === undefined) return JSON.stringify(await Promise.resolve(json).catch(() => null)) ?? "";
  const fields = await Promise.resolve(formData).catch(() => new FormData());
  if (!req.header("Content-Type")?.startsWith("application/x-www-form-urlencoded")) return fields;
  return new URLSearchParams([...fields].map(([name, value]): [string, string] => [name, String(value)]));
}
