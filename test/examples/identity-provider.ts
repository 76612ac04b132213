import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import { importFrom } from "./running.ts";

/** The part of the package `oidc-provider` that the tests need. */
interface Packages {
  readonly Provider: new (issuer: string, configuration: object) => { callback(): Parameters<typeof createServer>[1] };
}

/** A provider of identities on this machine. Any name logs in, with any password. */
export interface IdentityProvider {
  readonly issuer: string;
  readonly stop: () => Promise<void>;
}

/** The one client of the provider. */
export const client = { CLIENT_ID: "example", CLIENT_SECRET: "the client's secret in this test" };

/** Starts `oidc-provider` at 127.0.0.1, so that it's another site than localhost. */
export async function startIdentityProvider(redirectUri: string): Promise<IdentityProvider> {
  const { Provider } = await importFrom<Packages>("logins", "oidc-provider");
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const toAccount = (id: string) => ({ accountId: id, claims: () => ({ sub: `sub-${id}`, name: `Member ${id}` }) });
  const provider = new Provider(issuer, {
    clients: [{ client_id: client.CLIENT_ID, client_secret: client.CLIENT_SECRET, redirect_uris: [redirectUri] }],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), use: "sig", alg: "RS256", kid: "1" }] },
    cookies: { keys: ["the provider's key in this test"] },
    claims: { openid: ["sub"], profile: ["name"] },
    // As the standard says, the name is in the user info alone.
    conformIdTokenClaims: true,
    findAccount: (_: unknown, id: string) => toAccount(id),
  });
  server.on("request", provider.callback() as never);
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { issuer, stop };
}
