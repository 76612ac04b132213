import { type DynamicModule, Inject, Module } from "@nestjs/common";
import { HttpAdapterHost } from "@nestjs/core";
import { authRoutes } from "../express/index.ts";
import { toDefinition } from "./definition.ts";
import { type NestAsyncOptions, type NestGuardOptions, type NestOptions, optionsToken } from "./options.ts";

/**
 * Mounts the endpoints of the HTTP contract, guards every route, and closes the `Auth` at the shutdown. Import it once, in the
 * application's root module.
 */
export class TokenpairModule {
  /** Returns the module for an `Auth` that already exists. */
  static forRoot({ guard, ...options }: NestOptions & NestGuardOptions): DynamicModule {
    return toDefinition(TokenpairModule, { provide: optionsToken, useValue: options }, guard);
  }

  /** Returns the module for an `Auth` that a factory creates, for example from a configuration service. */
  static forRootAsync({ guard, imports = [], inject = [], useFactory }: NestAsyncOptions): DynamicModule {
    return { ...toDefinition(TokenpairModule, { provide: optionsToken, inject, useFactory }, guard), imports };
  }

  readonly #options: NestOptions;
  readonly #host: HttpAdapterHost;
  #mounted: unknown;

  /** Mounts the endpoints, before the body parsers, which Nest adds when the application starts. */
  constructor(options: NestOptions, host: HttpAdapterHost) {
    this.#options = options;
    this.#host = host;
    this.configure();
  }

  /** Mounts the endpoints of an application of `@nestjs/testing`, which has its server only at the start. */
  configure(): void {
    const [{ fetch, handles }, { httpAdapter }] = [this.#options.auth, this.#host];
    if (fetch === undefined || handles === undefined || !httpAdapter || httpAdapter === this.#mounted) return;
    httpAdapter.use(authRoutes({ fetch, handles }));
    this.#mounted = httpAdapter;
  }

  /** Loads the keys and the revocations. */
  onModuleInit(): Promise<void> | undefined {
    return this.#options.auth.ready?.();
  }

  /** Ends the streams that servers wait for, at the first hook: those of other modules may wait, too. */
  onModuleDestroy(): void {
    this.#options.auth.drain?.();
  }

  /** Closes the `Auth` after the server. */
  async onApplicationShutdown(): Promise<void> {
    await this.#options.auth.close();
    await this.#options.close?.();
  }
}
Inject(optionsToken)(TokenpairModule, undefined, 0);
Inject(HttpAdapterHost)(TokenpairModule, undefined, 1);
Module({})(TokenpairModule);
