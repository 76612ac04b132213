import type { AnyAuth } from "../../auth.ts";
import type { AuthOptions } from "../../auth-options.ts";
import type { AuthUser } from "../../core/user.ts";
import { createAuthWith } from "../../create-auth.ts";
import type { Resources } from "../resources.ts";
import { createDemonstration, type Demonstration } from "./demo.ts";

/** What the demonstration is started with. */
export interface DemonstrationStart {
  readonly auth: AnyAuth;
  /** The options of `auth`, which the other node has too. */
  readonly options: AuthOptions<AuthUser>;
  readonly findUrl: () => string;
  readonly resources: Resources;
}

/** Starts the demonstration, and adds it to the resources. */
export function startDemonstration({ auth, options, findUrl, resources }: DemonstrationStart): Demonstration {
  const node = { ...options, nodeName: `${options.nodeName} (demonstration)` };
  const createNode = () => createAuthWith(node, { developmentCookies: false, warn() {} });
  const demonstration = createDemonstration({ auth, createNode, findUrl });
  resources.add(() => demonstration.close());
  return demonstration;
}
