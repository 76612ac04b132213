import { setTimeout as sleep } from "node:timers/promises";
import { Query, Resolver, Subscription } from "@nestjs/graphql";
import { CurrentUser, Public, StepUp } from "tokenpair/nestjs";

/** Ticks until the client unsubscribes or its socket closes. */
async function* tick() {
  for (;;) {
    yield { clock: "tick" };
    await sleep(20);
  }
}

@Resolver()
export class Resolvers {
  @Query(() => String)
  me(@CurrentUser("userId") userId: string) {
    return userId;
  }

  @Public()
  @Query(() => String)
  version() {
    return "1";
  }

  @StepUp({ maxAge: 3_600, amr: ["otp"] })
  @Query(() => String)
  danger() {
    return "danger";
  }

  @Subscription(() => String)
  clock() {
    return tick();
  }
}
