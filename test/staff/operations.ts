import { type OpenApiDocument, type Operation, toOperations } from "../http/openapi/validator.ts";
import type { StaffScene } from "./setup.ts";

/** What can stand for the parameters of a path, and for the body of a change. */
export interface Filling {
  readonly userId: string;
  readonly username: string;
  readonly sessionId: string;
  readonly kid: string;
}

const nobody: Filling = { userId: "nobody", username: "nobody", sessionId: "nobody", kid: "none" };

/** The bodies of the changes, so that each of them does something. Without the reason. */
const bodies: Readonly<Record<string, (filling: Filling) => object>> = {
  "POST users/": () => ({ username: "new", generate: true }),
  "PATCH users/{id}/": () => ({ email: "n@example.org" }),
  "DELETE users/{id}/": ({ username }) => ({ username }),
  "POST users/{id}/set-password/": () => ({ generate: true }),
  "POST users/bulk/": ({ userId }) => ({ action: "logout", ids: [userId] }),
  "POST sessions/revoke/": ({ userId }) => ({ filter: { user: userId }, expected: 10 }),
  "POST tokens/revoke/": () => ({ jti: "0".repeat(32) }),
  "POST addresses/unlock/": () => ({ ip: "192.0.2.1" }),
};

/** An operation of the staff API with what to send. */
export interface StaffOperation extends Operation {
  /** The method and the path below that of the API: "GET users/{id}/". */
  readonly name: string;
  /** Returns the path below that of the API, with the ids. */
  toPath(filling?: Filling): string;
  /** Returns the body, or `undefined` for a request that reads. */
  toBody(filling?: Filling): object | undefined;
}

/** Returns every operation of the staff API, from its own document. */
export async function readOperations(scene: StaffScene, adminPath = "/api/admin"): Promise<readonly StaffOperation[]> {
  const response = await scene.staff.fetch(new Request(`http://localhost${adminPath}/schema/`));
  const document = (await response.json()) as OpenApiDocument;
  return toOperations(document)
    .filter(({ path }) => path.startsWith(`${adminPath}/`) && path !== `${adminPath}/schema/`)
    .map((operation) => {
      const below = operation.path.slice(adminPath.length + 1);
      const name = `${operation.method} ${below}`;
      return {
        ...operation,
        name,
        toPath({ userId, sessionId, kid } = nobody) {
          const id = below.startsWith("sessions/") ? sessionId : userId;
          const query = below === "audit/export/" ? "?format=csv" : "";
          return `${below.replace("{id}", id).replace("{kid}", kid)}${query}`;
        },
        toBody(filling = nobody) {
          if (operation.method === "GET") return undefined;
          return { ...bodies[name]?.(filling), reason: "laptop stolen, ticket 4411" };
        },
      };
    });
}
