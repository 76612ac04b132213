/**
 * GraphQL subscriptions with `graphql-ws` that end at a logout and not at a refresh: `npm install && node graphql-ws.ts`.
 *
 * In the browser, the access cookie authenticates the socket. An app sends its access token instead:
 *
 *   createClient({ url, connectionParams: async () => ({ token: await client.accessToken() }) });
 *
 * In both cases, connect again only if the session is still live:
 *
 *   createClient({ url, retryAttempts: Infinity, shouldRetry: async () => (await client.ensure()).status === "authenticated" });
 */
import { createServer, type IncomingMessage } from "node:http";
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from "graphql";
import { CloseCode } from "graphql-ws";
import { useServer } from "graphql-ws/use/ws";
import { toNodeHandler } from "tokenpair/node";
import { WebSocketServer } from "ws";
import { auth } from "./auth.ts";

type Context = { authentication: Awaited<ReturnType<typeof authenticate>> };

/** Returns who opens a connection, by the token in its parameters or by the cookie and the headers of its request. */
function authenticate(request: IncomingMessage, parameters: Readonly<Record<string, unknown>> = {}) {
  if (typeof parameters["token"] !== "string") return auth.authenticate(request);
  return auth.authenticate(new Headers({ Authorization: `Bearer ${parameters["token"]}` }), { method: "GET" });
}

async function* tick() {
  for (;;) {
    yield { clock: new Date().toISOString() };
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

const schema = new GraphQLSchema({
  query: new GraphQLObjectType<unknown, Context>({
    name: "Query",
    fields: { me: { type: GraphQLString, resolve: (_root, _input, { authentication }) => authentication.userId } },
  }),
  subscription: new GraphQLObjectType({
    name: "Subscription",
    fields: { clock: { type: GraphQLString, subscribe: tick } },
  }),
});

const server = createServer(toNodeHandler(auth));
useServer<Record<string, unknown>, Partial<Context>>(
  {
    schema,
    async onConnect({ connectionParams, extra }) {
      const { request, socket } = extra;
      const authentication = await authenticate(request, connectionParams).catch(() => undefined);
      if (!authentication) return false; // closes with 4403
      extra.authentication = authentication;
      const gone = new AbortController();
      socket.on("close", () => gone.abort());
      const signal = auth.signal(authentication, { until: "session", signal: gone.signal });
      signal.addEventListener("abort", () => socket.close(CloseCode.Forbidden, "logged out"));
      return !signal.aborted;
    },
    context: ({ extra }) => ({ authentication: extra.authentication }),
  },
  new WebSocketServer({ server, path: "/graphql" }),
);
server.listen(Number(process.env["PORT"] ?? 3000), () => console.log("listening", server.address()));
