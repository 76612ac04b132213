/**
 * Words that people type into the search and that a page doesn't have, or has less often than others: synonyms, names of other
 * libraries, texts of error messages. `questions.ts` has the searches that must succeed.
 */

/** The words, by the address of a page or of one of its sections. */
export const keywords: Readonly<Record<string, string>> = {
  "/install": "getting started quick start setup installation npm add tokenpair register sign-up",
  "/protect-a-route":
    "middleware guard authorize req.user current user isAuthenticated requireAuth every request hits the database per request database lookup round trip",
  "/protect-a-route#routes-for-everyone-with-or-without-a-login":
    "optional authentication middleware anonymous requests guest public route optional user",
  "/roles": "authorize authorization permissions RBAC admin only role in token custom claim payload",
  "/testing": "test unit test integration test supertest vitest jest mock auth fake user",
  "/roles#when-a-role-changes":
    "user role changed new role in token role update at once immediately stale role payload custom claim permission changed promote user to admin",
  "/express-react": "tutorial example login form React Vite getting started",
  "/front-end": "fetch axios interceptor SPA Vue Svelte Solid useSession login form logged in state localStorage",
  "/sessions-and-devices":
    "log out everywhere logout all devices sign out of all devices revoke session active sessions kick out force logout remote logout invalidate list sessions session timeout idle timeout",
  "/sessions-and-devices#a-list-of-the-users-devices":
    "log out all other devices revoke other sessions logout everywhere else keep only this session",
  "/sessions-and-devices#log-out-a-user-or-every-user":
    "revoke all tokens of a user by user id invalidate all tokens for user force all users to log in again log out everyone kick out revoke everything after a breach invalidate every session globally",
  "/sessions-and-devices#how-soon-a-logout-takes-effect":
    "access token still valid after logout blacklist access token at logout immediately at once invalidate JWT still accepted after sign out",
  "/sessions-and-devices#how-long-a-session-lasts":
    "remember me keep users logged in after the browser is closed stay logged in persistent cookie extend session on activity idle timeout inactivity",
  "/revocation": "revoke token blacklist blocklist denylist invalidate token revocation list",
  "/your-own-users":
    "Prisma Drizzle Sequelize TypeORM Mongoose existing users database custom user model custom claims refresh claims change roles bcrypt user table",
  "/your-own-users#when-a-user-changes":
    "deactivated user deleted user removed from the database inactive user disabled banned user can still refresh still has a valid token",
  "/other-logins":
    "SSO single sign-on OAuth OAuth2 OpenID Connect SAML social login Google login GitHub login Auth0 Keycloak passport magic link passwordless sign-up registration register start session create session without password forgot password password reset email verification",
  "/other-logins#acting-for-a-user": "impersonate impersonation log in as a user act as sudo on behalf support access",
  "/second-factor":
    "2FA MFA TOTP OTP two-factor multi-factor authentication authenticator app one-time code SMS code backup codes recovery codes passkey WebAuthn",
  "/step-up": "sudo mode re-authenticate reauthentication confirm password again fresh login acr max_age",
  "/server-rendered":
    "SSR templates EJS Handlebars Pug htmx form login without JavaScript redirect to login SvelteKit Remix React Router Astro Nuxt",
  "/next": "Next.js App Router server components server actions middleware proxy.ts getServerSession NextAuth Auth.js",
  "/nest": "NestJS AuthGuard Passport GraphQL gateway",
  "/native": "mobile React Native Expo iOS Android SecureStore AsyncStorage keychain Capacitor offline",
  "/websockets":
    "Socket.IO WebSocket SSE EventSource server-sent events GraphQL subscription long polling close connection real time",
  "/websockets#other-connections": "Socket.IO io.use handshake graphql-ws EventSource SSE tRPC",
  "/console": "admin panel dashboard back office support staff user management UI",
  "/behind-a-proxy":
    "nginx Caddy Traefik HAProxy Apache ALB Cloudflare trust proxy X-Forwarded-For client IP reverse proxy load balancer",
  "/deploying": "Docker docker-compose Kubernetes systemd PM2 cluster production checklist HTTPS TLS",
  "/production":
    "go live checklist deploy production ready hardening graceful shutdown SIGTERM health check readiness liveness",
  "/many-nodes":
    "PostgreSQL Postgres cluster several servers multiple instances horizontal scaling load balancer sticky session Redis PgBouncer replica",
  "/services-without-a-database":
    "microservices microservice verify token another service API gateway resource server stateless",
  "/cut-over": "Django dumpdata import users migrate without logging users out legacy tokens simplejwt blacklist",
  "/services-without-a-database#other-languages-and-proxies":
    "Go Golang Java Kotlin C# .NET Python Ruby Rust PHP Spring Boot JWT library JWKS verify token in another language",
  "/keys-in-depth": "algorithm ES256 EdDSA RS256 HS256 kid key encryption key KEK envelope",
  "/postgresql": "index indexes vacuum autovacuum HOT fillfactor partition",
  "/operating": "backup restore upgrade metrics Prometheus Grafana alerts cleanup flushexpiredtokens health check",
  "/keys":
    "secret rotation rotate key signing key leaked secret JWKS kid HS256 RS256 ES256 EdDSA asymmetric public key",
  "/services": "microservices other services introspection API gateway resource server verify token elsewhere",
  "/services#public-keys": "microservice public key JWKS JWT library jose createRemoteJWKSet verify offline",
  "/troubleshooting":
    "not working problem error bug debug help random logouts frequent logouts users logged out logged out often login loop 401 403 infinite refresh",
  "/troubleshooting#cookies-are-not-set-on-http":
    "cookie not set Set-Cookie ignored cookies missing Secure cookie localhost Safari http no cookie",
  "/troubleshooting#users-are-logged-out-at-random":
    "users silently logged out unexpectedly session lost after a while random logout session expired too early too soon",
  "/troubleshooting#401-in-an-endless-loop":
    "infinite refresh loop endless refresh loop third party 401 axios interceptor too many refreshes redirect loop",
  "/troubleshooting#403-csrf-failed":
    "CSRF failed CSRF token missing mismatch XSRF 403 Forbidden csrf_failed X-CSRFToken",
  "/migrating-from-django":
    "simplejwt Django REST framework DRF SIMPLE_JWT sliding token SlidingToken blacklist app TokenObtainPairView import users",
  "/migrating-from-django#sliding-tokens-why-not":
    "sliding token SlidingToken sliding session single token without refresh token only one token",
  "/coming-from":
    "migrate migration passport express-session better-auth NextAuth Auth.js Lucia jsonwebtoken express-jwt passport-jwt alternative",
  "/why-not-plain-sessions":
    "JWT vs session cookies stateless stateful opaque token comparison Redis alternative compare",
  "/throttling":
    "rate limit rate limiting brute force credential stuffing lockout account locked locked out unlock too many login attempts captcha",
  "/browser":
    "remember me keep me logged in stay logged in SameSite HttpOnly Secure cookie name domain XSS XSRF CSRF protection",
  "/origins":
    "CORS cross-origin Access-Control-Allow-Origin credentials include withCredentials preflight different domain subdomain trustedOrigins",
  "/origins#is-the-page-on-the-same-site":
    "cross-domain cookies different domains frontend and backend on another domain multiple frontends subdomain api.example.com third-party cookies SameSite None cookie lost logged out after page reload",
  "/passwords":
    "argon2 bcrypt scrypt PBKDF2 hash hashing pepper salt password policy strength minimum length haveibeenpwned",
  "/how-it-works#two-tokens":
    "is the token stored in the database refresh token hash database leak every request database query per request access token database lookup",
  "/how-it-works": "architecture access token refresh token JWT claims lifetime explained",
  "/rotation":
    "refresh token race condition race concurrent refresh token reuse multiple tabs parallel requests refresh twice grace period reuse interval",
  "/client":
    "multiple tabs BroadcastChannel silent refresh refresh token race interceptor axios useUser offline sleep several tabs",
  "/settings": "configuration options token lifetime expiry expiration expiresIn TTL timeout environment variables",
  "/cli": "command line commands migrate create user doctor",
  "/http-api": "REST endpoints OpenAPI Swagger Postman routes paths login endpoint logout endpoint refresh endpoint",
  "/http-api#post-apiauthlogout": "logout request body without access token requires access token",
  "/http-api#post-apitokenblacklist":
    "logout without access token refresh token only blacklist endpoint blacklist request body",
  "/http-api#post-apitokenverify":
    "verify endpoint old spent refresh token after rotation rotated token still works still accepted",
  "/events": "audit log webhook logging notifications history security events",
  "/observing": "OpenTelemetry tracing spans Datadog Jaeger",
  "/retention": "GDPR privacy personal data delete user right to erasure data protection anonymize",
  "/retention#what-is-stored":
    "tokens stored in plain text encrypted at rest database leak read the table hash of the refresh token",
  "/scaling": "performance capacity sizing millions of users horizontal scaling Redis memory",
  "/security": "vulnerability CVE threat model report XSS token theft stolen token",
  "/verifier/":
    "verify JWT other language Go Golang Java Kotlin C# .NET Python Ruby Rust PHP FastAPI Flask Spring Boot Laravel microservice resource server",
  "/verifier/typescript": "verify JWT middleware microservice Cloudflare Workers Deno Bun edge",
};
