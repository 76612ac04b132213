import "reflect-metadata";
import { ApolloDriver, type ApolloDriverConfig } from "@nestjs/apollo";
import { type ArgumentsHost, Catch, HttpException, type INestApplication, Module } from "@nestjs/common";
import { APP_FILTER, BaseExceptionFilter, NestFactory } from "@nestjs/core";
import { GraphQLModule } from "@nestjs/graphql";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { IoAdapter } from "@nestjs/platform-socket.io";
import { WsAdapter } from "@nestjs/platform-ws";
import type { AnyCors } from "tokenpair";
import { cors } from "tokenpair/express";
import { type NestAuth, TokenpairModule } from "tokenpair/nestjs";
import { Chat } from "./gateway.js";
import { Resolvers } from "./resolver.js";
import { OpenRoutes, Routes } from "./routes.js";

/** Which of Nest's platforms and gateways the application uses. */
export interface Platform {
  readonly http: "express" | "fastify";
  readonly sockets: "ws" | "socket.io";
  /** Whether the module gets its options from a factory. */
  readonly isAsync?: boolean;
  /** Default: true. */
  readonly hasGraphql?: boolean;
}

/** Answers errors of the application's own code as the other adapters' applications do. */
@Catch()
class Errors extends BaseExceptionFilter {
  catch(error: unknown, host: ArgumentsHost) {
    if (host.getType() !== "http") throw error;
    if (error instanceof HttpException) return super.catch(error, host);
    const response = host.switchToHttp().getResponse();
    response.status(500).send("handled");
  }
}

/** Starts the application on a free port of this machine. */
export async function start(
  auth: NestAuth & AnyCors,
  { http, sockets, isAsync, hasGraphql = true }: Platform,
  close: () => unknown,
) {
  const options = { auth, close };
  const tokenpair = isAsync
    ? TokenpairModule.forRootAsync({ useFactory: async () => options })
    : TokenpairModule.forRoot(options);

  const graphql = GraphQLModule.forRoot<ApolloDriverConfig>({
    driver: ApolloDriver,
    autoSchemaFile: true,
    subscriptions: { "graphql-ws": true },
  });

  @Module({
    imports: [tokenpair, ...(hasGraphql ? [graphql] : [])],
    controllers: [Routes, OpenRoutes],
    providers: [Chat, Resolvers, { provide: APP_FILTER, useClass: Errors }],
  })
  class Application {}

  const adapter = http === "express" ? new ExpressAdapter() : new FastifyAdapter();
  const app: INestApplication = await NestFactory.create(Application, adapter, {
    logger: ["error"],
    abortOnError: false,
    forceCloseConnections: true,
  });
  app.use(cors(auth, { allowHeaders: ["X-Trace"], exposeHeaders: ["X-Total"] }));
  app.useWebSocketAdapter(sockets === "ws" ? new WsAdapter(app) : new IoAdapter(app));
  await app.listen(0, "127.0.0.1");
  return { url: await app.getUrl(), close: () => app.close() };
}
