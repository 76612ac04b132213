import { type Client, ClientError } from "../../client/index.ts";
import { StaffError } from "./staff-error.ts";

/** The parameters of a request. Empty ones are left out. */
export type Query = Readonly<Record<string, string | number | null | undefined>>;

/** The staff API, as the console calls it. */
export interface StaffApi {
  /** Reads something. @throws StaffError */
  get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T>;
  /** Changes something. @throws StaffError */
  send<T>(method: "POST" | "PATCH" | "DELETE", path: string, body: unknown): Promise<T>;
  /** Opens a response without reading it. @throws StaffError */
  open(path: string, query?: Query, init?: RequestInit): Promise<Response>;
}

/** Creates the caller of the staff API at `adminPath`. */
export function createStaffApi(client: Pick<Client, "fetch">, adminPath: string): StaffApi {
  async function open(path: string, query: Query = {}, init: RequestInit = {}): Promise<Response> {
    const response = await client.fetch(`${adminPath}/${path}${toSearch(query)}`, init).catch((error: unknown) => {
      if (init.signal?.aborted) throw error;
      if (error instanceof ClientError) {
        throw new StaffError({ status: error.status ?? 0, code: error.code, text: error.message });
      }
      throw new StaffError({ status: 0, code: "offline", text: "" });
    });
    if (!response.ok) throw await toStaffError(response);
    return response;
  }

  return {
    open,
    async get<T>(path: string, query?: Query, signal?: AbortSignal) {
      const response = await open(path, query, signal === undefined ? {} : { signal });
      return (await readJson(response)) as T;
    },
    async send<T>(method: string, path: string, body: unknown) {
      const response = await open(
        path,
        {},
        {
          method,
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(body),
        },
      );
      return (response.status === 204 ? undefined : await readJson(response)) as T;
    },
  };
}

/** Returns the query string of parameters, with its question mark. */
export function toSearch(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === null || value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    throw new StaffError({ status: 0, code: "offline", text: "" });
  }
}

async function toStaffError(response: Response): Promise<StaffError> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => null);
  const retryAfter = Number(response.headers.get("Retry-After") ?? 0);
  if (typeof body !== "object" || body === null) return new StaffError({ status, code: "unavailable", text: "" });
  const { code, detail, ...rest } = body as Readonly<Record<string, unknown>>;
  if (typeof code === "string") return new StaffError({ status, code, text: String(detail ?? ""), retryAfter });
  const messages = Object.entries(rest).flatMap(([name, texts]) =>
    Array.isArray(texts) ? [[name, texts.join(" ")] as const] : [],
  );
  return new StaffError({
    status,
    code: "invalid",
    text: typeof detail === "string" ? detail : messages.map(([, text]) => text).join(" "),
    fields: Object.fromEntries(messages),
  });
}
