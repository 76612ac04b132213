import { All, Controller, Get, Req, Res, UseGuards } from "@nestjs/common";
import type { Auth, RegisteredAuthentication } from "tokenpair";
import { sessionStarter as expressStarter } from "tokenpair/express";
import { sessionStarter as fastifyStarter } from "tokenpair/fastify";
import { AuthGuard, CurrentUser, InjectAuth, Public, StepUp } from "tokenpair/nestjs";
import { RequireRole } from "./roles.js";

/** The routes that the HTTP script of the adapters needs. */
@Controller()
export class Routes {
  constructor(@InjectAuth() private readonly auth: Auth) {}

  @Public()
  @Get("own")
  own() {
    return "the application's own";
  }

  @Public()
  @All("whoami")
  whoami(@CurrentUser() current?: RegisteredAuthentication) {
    return `you are ${current?.userId ?? "nobody"}`;
  }

  @All("hello")
  hello(@CurrentUser("userId") userId: string, @Res({ passthrough: true }) response: any) {
    // Nest answers a POST with 201.
    (response.status ?? response.code).call(response, 200);
    return `hello ${userId}`;
  }

  @Public()
  @Get("start")
  async start(@Req() request: any, @Res() response: any) {
    response.header("Set-Cookie", "own=1");
    if (request.raw === undefined) {
      await expressStarter(this.auth)(request, response, "1", { amr: ["email"] });
      response.redirect(303, "/own");
    } else {
      await fastifyStarter(this.auth)(request, response, "1", { amr: ["email"] });
      response.redirect("/own", 303);
    }
  }

  @StepUp({ maxAge: 3_600, amr: ["otp"] })
  @Get("danger")
  danger(@CurrentUser() { amr }: RegisteredAuthentication) {
    return `by ${amr}`;
  }

  @RequireRole("admin")
  @Get("admin")
  admin(@CurrentUser("userId") userId: string) {
    return `admin ${userId}`;
  }

  @Get("broken")
  broken() {
    throw new Error("broken");
  }
}

/** A class that is public but for one route. */
@Public()
@Controller("open")
export class OpenRoutes {
  @Get()
  open() {
    return "open";
  }

  @StepUp({ maxAge: 3_600 })
  @Get("closed")
  closed(@CurrentUser("userId") userId: string) {
    return `closed for all but ${userId}`;
  }
}

/** A route that is guarded by name, and one that isn't. */
@Controller("orders")
export class Orders {
  @UseGuards(AuthGuard)
  @Get()
  list(@CurrentUser("userId") userId: string) {
    return `orders of ${userId}`;
  }

  /** Nest runs the lower guard first, and a role needs the token that `AuthGuard` reads. */
  @RequireRole("admin")
  @UseGuards(AuthGuard)
  @Get("reports")
  reports(@CurrentUser("userId") userId: string) {
    return `reports for ${userId}`;
  }

  @Get("unguarded")
  unguarded() {
    return "unguarded";
  }

  @Get("forgotten")
  forgotten(@CurrentUser("userId") userId: string) {
    return `of ${userId}`;
  }
}
