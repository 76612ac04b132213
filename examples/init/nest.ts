import "reflect-metadata";
import { Controller, Get, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { createAuth } from "tokenpair";
import { loadConfig } from "tokenpair/config";
import { CurrentUser, TokenpairModule } from "tokenpair/nestjs";

const config = await loadConfig();
const auth = createAuth(config);

@Controller()
class Hello {
  @Get("hello")
  hello(@CurrentUser("userId") userId: string) {
    return `hello, user ${userId}\n`;
  }
}

@Module({
  imports: [TokenpairModule.forRoot({ auth, close: () => config.store.close() })],
  controllers: [Hello],
})
class AppModule {}

const app = await NestFactory.create(AppModule);
app.enableShutdownHooks();
await app.listen(Number(process.env["PORT"] ?? 3000));
console.log("listening", app.getHttpServer().address());
