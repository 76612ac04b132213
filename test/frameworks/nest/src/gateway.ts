import type { IncomingMessage } from "node:http";
import { UseGuards } from "@nestjs/common";
import { MessageBody, type OnGatewayConnection, SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import { AuthGuard, AuthSockets, CurrentUser, StepUp } from "tokenpair/nestjs";

/** A gateway whose sockets close at a logout and not at a refresh. */
@UseGuards(AuthGuard)
@WebSocketGateway({ path: "/chat", transports: ["websocket"] })
export class Chat implements OnGatewayConnection {
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
