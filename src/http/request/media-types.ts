/** A media type of request bodies. */
export type MediaType = "application/json" | "application/x-www-form-urlencoded" | "multipart/form-data";

/** The media types that the token endpoints accept. API clients send JSON, and simplejwt's clients may also send forms. */
export const tokenMediaTypes: readonly MediaType[] = [
  "application/json",
  "application/x-www-form-urlencoded",
  "multipart/form-data",
];

/** The media types that the cookie endpoints accept: only JSON, which HTML forms can't send. */
export const cookieMediaTypes: readonly MediaType[] = ["application/json"];

/** What the login of a browser accepts: JSON, and forms of pages without scripts, which have the CSRF token in a field. */
export const loginMediaTypes: readonly MediaType[] = ["application/json", "application/x-www-form-urlencoded"];

/** What the endpoints for services accept: forms, as OAuth 2.0 has them, and JSON. */
export const serviceMediaTypes: readonly MediaType[] = ["application/json", "application/x-www-form-urlencoded"];

/**
 * Returns the media type of a body, in lower case and without its parameters (RFC 9110 §8.3.1). JSON and forms are UTF-8,
 * whatever `charset` says.
 */
export function readMediaType(headers: Headers): string {
  return (headers.get("Content-Type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}
