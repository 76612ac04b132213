import { createHmac, type KeyLike, randomUUID, sign } from "node:crypto";
import { importedUser } from "../store/contract/records.ts";
import { createTestAuth, type TestAuth, type TestAuthOptions, testStart } from "./auth.ts";

/** The secret of a Django project, as `startproject` makes one. */
export const djangoSecret = "django-insecure-8k#v2m$q(1w)z@x!c^b&n*l-p=o+i5u7y3t9r4e6w";

/** The payload of a refresh token as simplejwt writes it, for the user with the id 1. */
export function legacyPayload(changes: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    token_type: "refresh",
    exp: testStart + 86_400,
    iat: testStart - 60,
    jti: randomUUID().replaceAll("-", ""),
    user_id: 1,
    ...changes,
  };
}

/** How to sign a token. */
interface Signing {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly secret?: string;
  readonly hash?: string;
  /** Signs with RSA instead, or with ECDSA. */
  readonly privateKey?: KeyLike;
}

/** Signs a payload as PyJWT does: its header has `alg` and `typ` alone. */
export function signLegacy(payload: Readonly<Record<string, unknown>> | string, signing: Signing = {}): string {
  const { header = { alg: "HS256", typ: "JWT" }, secret = djangoSecret, hash = "sha256", privateKey } = signing;
  const toPart = (value: unknown) =>
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  const input = `${toPart(header)}.${toPart(payload)}`;
  const signature =
    privateKey === undefined
      ? createHmac(hash, secret).update(input).digest("base64url")
      : sign(hash, Buffer.from(input), { key: privateKey as never, dsaEncoding: "ieee-p1363" }).toString("base64url");
  return `${input}.${signature}`;
}

/** Returns a refresh token of simplejwt. */
export const legacyToken = (changes: Readonly<Record<string, unknown>> = {}): string =>
  signLegacy(legacyPayload(changes));

/** What `createTestAuth` creates, during a move from simplejwt: alice was imported. */
export async function createMovingAuth({ settings = {}, given, ...options }: TestAuthOptions = {}): Promise<TestAuth> {
  const moving = { legacyRefreshUntil: "2026-01-21", ...settings };
  const auth = await createTestAuth({
    given: { legacyRefreshKey: djangoSecret, ...given },
    settings: moving,
    ...options,
  });
  await auth.store.users.importBatch([importedUser("alice", { id: auth.user.id })]);
  return auth;
}
