/** A request of a page. */
interface PageRequest {
  /** Sent by a form. */
  readonly form?: Readonly<Record<string, string>>;
  /** Sent by a script. */
  readonly json?: object;
  /** Added to those of the browser, or in their place. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A browser that keeps cookies by path, and has a page of the server's origin open. */
export class CookieJar {
  readonly #cookies = new Map<string, { readonly value: string; readonly path: string }>();
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Returns the value of a cookie. */
  cookie(name: string): string | undefined {
    return this.#cookies.get(name)?.value;
  }

  deleteCookie(name: string): void {
    this.#cookies.delete(name);
  }

  get(path: string): Promise<Response> {
    return this.#send("GET", path, {});
  }

  post(path: string, request: PageRequest = {}): Promise<Response> {
    return this.#send("POST", path, request);
  }

  /** Returns the values of the hidden fields of a page. */
  async fields(path: string): Promise<Record<string, string>> {
    const html = await (await this.get(path)).text();
    return Object.fromEntries(
      [...html.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, k, v]) => [k, v]),
    );
  }

  async #send(method: string, path: string, { form, json, headers }: PageRequest): Promise<Response> {
    const csrf = this.cookie("__Host-csrftoken");
    const response = await fetch(this.#origin + path, {
      method,
      redirect: "manual",
      headers: {
        Cookie: [...this.#cookies]
          .filter(([, cookie]) => path.startsWith(cookie.path))
          .map(([name, { value }]) => `${name}=${value}`)
          .join("; "),
        "Sec-Fetch-Site": "same-origin",
        ...(method === "POST" ? { Origin: this.#origin } : {}),
        ...(json === undefined ? {} : { "Content-Type": "application/json" }),
        ...(json === undefined || csrf === undefined ? {} : { "X-CSRFToken": csrf }),
        ...headers,
      },
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.includes("Max-Age=0")) this.#cookies.delete(name);
      else this.#cookies.set(name, { value, path: /Path=([^;]*)/.exec(line)?.[1] ?? "/" });
    }
    return response;
  }
}
