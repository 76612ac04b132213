import { describe, expect, it } from "vitest";
import { frameType } from "../../src/flows/feed-readers.ts";
import type { Settings } from "../../src/index.ts";
import { addService } from "../support/services.ts";
import { issuerSettings, openVerifier, whenVerifiersKnow } from "../support/verifier.ts";
import { type Application, type Frameworks, listApplications, listApplicationsBehindParsers } from "./applications.ts";
import {
  createScriptAuth,
  credentials,
  runCorsScript,
  runHttpScript,
  runOtherLoginScript,
  runPageScript,
  runStepUpScript,
} from "./http-script.ts";

const ways: readonly (readonly [string, Partial<Settings>])[] = [
  ["from memory", {}],
  ["with a lookup of the user", { checkUserIsActive: true }],
];

/** What answers with two cookies, whatever the request. */
const cookies = ["one=1; Path=/; Expires=Thu, 01 Jan 2026 00:00:00 GMT", "two=2; HttpOnly"];
const answerWithCookies = () =>
  new Response("no", { status: 418, headers: cookies.map((cookie): [string, string] => ["Set-Cookie", cookie]) });

/** Declares the tests that every adapter must pass, over the frameworks of these majors. `others` are applications besides. */
export function testAdapters(frameworks: Frameworks, others: readonly Application[] = []): void {
  const guarded = listApplications(frameworks);
  const applications = [...others, ...guarded, ...listApplicationsBehindParsers(frameworks)];

  describe.each(applications)("the adapter for %s", (name, start, isBehindParser) => {
    it.each(ways)(`passes the HTTP script on ${name}, %s`, async (_, settings) => {
      const { auth, close } = await createScriptAuth(settings);
      const app = await start(auth);
      try {
        await runHttpScript(app.url, auth, isBehindParser);
      } finally {
        await app.close();
        await close();
      }
    });

    it(`passes the HTTP script on ${name} behind a verifier that reads from the issuer`, async () => {
      const { auth, store, close } = await createScriptAuth(issuerSettings);
      const verifier = await openVerifier({ auth, store });
      const app = await start({
        ...auth,
        check: (request, options) => verifier.check(request, options),
        fetch: async (request, connection) => {
          const response = await auth.fetch(request, connection);
          await whenVerifiersKnow(auth);
          return response;
        },
      });
      try {
        await runHttpScript(app.url, auth, isBehindParser);
      } finally {
        await app.close();
        verifier.close();
        await close();
      }
    });

    it(`lets pages of trusted origins use the application's own routes on ${name}`, async () => {
      const { auth, close } = await createScriptAuth({
        trustedOrigins: ["https://app.example.com", "ionic://localhost"],
      });
      const app = await start(auth);
      try {
        await runCorsScript(app.url);
      } finally {
        await app.close();
        await close();
      }
    });

    it(`passes the script of other logins on ${name}`, async () => {
      const { auth, close } = await createScriptAuth();
      const app = await start(auth);
      await runOtherLoginScript(app.url, auth);
      await app.close();
      await close();
    });

    it(`passes the step-up script on ${name}`, async () => {
      const { auth, close } = await createScriptAuth();
      const app = await start(auth);
      await runStepUpScript(app.url, auth);
      await app.close();
      await close();
    });

    it(`passes the script of pages on ${name}`, async () => {
      const { auth, close } = await createScriptAuth();
      const app = await start(auth);
      await runPageScript(app.url, auth);
      await app.close();
      await close();
    });

    it(`streams the revocation feed on ${name}, and ends the stream when auth drains`, async () => {
      const { auth, store, close } = await createScriptAuth();
      const service = await addService({ store }, ["feed"]);
      const app = await start(auth);
      const response = await fetch(`${app.url}/api/auth/revocations/?stream=1`, { headers: service.bearer });
      expect([response.status, response.headers.get("Content-Type")]).toEqual([200, frameType]);
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      const { value } = await reader.read();
      expect(Buffer.from(value ?? []).toString("latin1", 0, 4)).toBe("TPR1");
      auth.drain();
      while (!(await reader.read()).done);
      const refused = await fetch(`${app.url}/api/auth/revocations/?stream=1`, { headers: service.bearer });
      expect(refused.status).toBe(503);
      await app.close();
      await close();
    });

    it(`sends each Set-Cookie header of a refusal and of an endpoint on ${name}`, async () => {
      const { auth, close } = await createScriptAuth();
      const check = () => ({ ok: false, response: answerWithCookies() }) as const;
      const app = await start({ ...auth, check, fetch: async () => answerWithCookies() });
      for (const path of ["/hello", "/api/token/"]) {
        const response = await fetch(app.url + path);
        expect([response.status, response.headers.getSetCookie(), await response.text()]).toEqual([418, cookies, "no"]);
      }
      await app.close();
      await close();
    });
  });

  describe.each(guarded)("the adapter for %s", (name, start) => {
    it.each(ways)(`leaves an error of the handler to the application on ${name}, %s`, async (_, settings) => {
      const { auth, close } = await createScriptAuth(settings);
      const app = await start(auth);
      const { access } = await auth.login(credentials);
      const response = await fetch(`${app.url}/broken`, { headers: { Authorization: `Bearer ${access}` } });
      expect([response.status, await response.text()]).toEqual([500, "handled"]);
      await app.close();
      await close();
    });

    it(`passes an error of check to the application on ${name} instead of hanging`, async () => {
      const { auth, close } = await createScriptAuth();
      for (const check of [() => Promise.reject(new Error("broken")), () => fail()]) {
        const app = await start({ ...auth, check });
        const response = await fetch(`${app.url}/hello`);
        expect([response.status, await response.text()]).toEqual([500, "handled"]);
        await app.close();
      }
      // A rejection without a reason must not pass the request on either.
      const app = await start({ ...auth, check: () => Promise.reject() });
      expect((await fetch(`${app.url}/hello`)).status).toBe(500);
      await app.close();
      await close();
    });
  });
}

function fail(): never {
  throw new Error("broken");
}
