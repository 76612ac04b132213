import "reflect-metadata";
import { ApolloDriver, type ApolloDriverConfig } from "@nestjs/apollo";
import {
  type ArgumentsHost,
  Catch,
  type ExecutionContext,
  HttpException,
  type INestApplication,
  Module,
} from "@nestjs/common";
import { APP_FILTER, BaseExceptionFilter, NestFactory } from "@nestjs/core";
import { GraphQLModule } from "@nestjs/graphql";
import { MercuriusDriver, type MercuriusDriverConfig } from "@nestjs/mercurius";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { IoAdapter } from "@nestjs/platform-socket.io";
import { WsAdapter } from "@nestjs/platform-ws";
import { Test } from "@nestjs/testing";
import type { AnyCors } from "tokenpair";
import { cors } from "tokenpair/express";
import { AuthGuard, type NestAuth, type NestGuardOptions, TokenpairModule } from "tokenpair/nestjs";
import { Chat, PolledChat } from "./gateway.js";
import { Resolvers } from "./resolver.js";
import { OpenRoutes, Orders, Routes } from "./routes.js";

/** Which of Nest's platforms and gateways the application uses. */
export interface Platform {
  readonly http: "express" | "fastify";
  readonly sockets: "ws" | "socket.io";
  /** Whether the module gets its options from a factory. */
  readonly isAsync?: boolean;
  /** Default: "apollo". "mercurius" needs Fastify. */
  readonly graphql?: "apollo" | "mercurius" | "none";
  readonly guard?: NestGuardOptions["guard"];
}

const apollo = GraphQLModule.forRoot<ApolloDriverConfig>({
  driver: ApolloDriver,
  autoSchemaFile: true,
  subscriptions: { "graphql-ws": true },
});
const mercurius = GraphQLModule.forRoot<MercuriusDriverConfig>({
  driver: MercuriusDriver,
  autoSchemaFile: true,
});

const graphqlModules = { apollo: [apollo], mercurius: [mercurius], none: [] };

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
  { http, sockets, isAsync, graphql = "apollo", ...guard }: Platform,
  close: () => unknown,
) {
  const options = { auth, close };
  const tokenpair = isAsync
    ? TokenpairModule.forRootAsync({ useFactory: async () => options, ...guard })
    : TokenpairModule.forRoot({ ...options, ...guard });

  @Module({
    imports: [tokenpair, ...graphqlModules[graphql]],
    controllers: [Routes, OpenRoutes, Orders],
    providers: [Chat, ...(sockets === "ws" ? [] : [PolledChat]), Resolvers, { provide: APP_FILTER, useClass: Errors }],
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

/** Starts the routes without authentication: a test says who sends each request. */
export async function startUnguarded(userId: string) {
  const canActivate = (context: ExecutionContext) => {
    context.switchToHttp().getRequest().auth = { userId };
    return true;
  };
  const module = Test.createTestingModule({ controllers: [Orders] });
  const app = (await module.overrideGuard(AuthGuard).useValue({ canActivate }).compile()).createNestApplication();
  await app.listen(0, "127.0.0.1");
  return { url: await app.getUrl(), close: () => app.close() };
}

/** Starts the routes with authentication as an application of `@nestjs/testing`. */
export async function startTesting(auth: NestAuth) {
  const module = Test.createTestingModule({ imports: [TokenpairModule.forRoot({ auth })], controllers: [Routes] });
  const app = (await module.compile()).createNestApplication();
  await app.listen(0, "127.0.0.1");
  return { url: await app.getUrl(), close: () => app.close() };
}
