import type { IncomingMessage } from "node:http";
import { UseGuards } from "@nestjs/common";
import { MessageBody, type OnGatewayConnection, SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import { AuthGuard, AuthSockets, CurrentUser, StepUp } from "tokenpair/nestjs";

// A class decorator, so that TypeScript emits the types of the constructor.
@UseGuards(AuthGuard)
export class AnyChat implements OnGatewayConnection {
  constructor(private readonly sockets: AuthSockets) {}

  handleConnection(client: object, request?: IncomingMessage) {
    // Socket.IO passes no request: its sockets know it.
    return this.sockets.connect(client, request?.headers === undefined ? {} : { request });
  }

  @SubscribeMessage("say")
  say(@MessageBody() text: string, @CurrentUser("userId") userId: string) {
    return { event: "said", data: `${userId} says ${text}` };
  }

  @StepUp({ maxAge: 3_600, amr: ["otp"] })
  @SubscribeMessage("danger")
  danger() {
    return { event: "said", data: "danger" };
  }
}

/** A gateway whose sockets close at a logout and not at a refresh. */
@UseGuards(AuthGuard)
@WebSocketGateway({ path: "/chat", transports: ["websocket"] })
export class Chat extends AnyChat {}

/** The same for sockets of Socket.IO that poll. */
@UseGuards(AuthGuard)
@WebSocketGateway({ path: "/polled", transports: ["polling"] })
export class PolledChat extends AnyChat {}
