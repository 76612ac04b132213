/** Verifies access tokens in a service without a database: `createVerifier`, its types and errors. */

export type { RequestLike, RequestOptions, SignalOptions, SocketLike } from "../auth-options.ts";
export type { CheckResult } from "../auth-results.ts";
export type { AccessClaims, ApplicationClaims } from "../core/claims.ts";
export { AuthError, type AuthErrorCode } from "../core/errors.ts";
export type { Clock } from "../core/runtime/clock.ts";
export { SettingError } from "../core/settings/setting-error.ts";
export type { HeaderSource } from "../http/request/headers.ts";
export type { ReaderStats } from "../revocation/readers/readers.ts";
export { createVerifier } from "./create-verifier.ts";
export type { RelayOptions, VerifierEvent, VerifierOptions, VerifierSettings } from "./options.ts";
export type { Verifier, VerifierCheckResult, VerifierStatus } from "./verifier.ts";
