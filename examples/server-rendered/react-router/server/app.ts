import { createRequestHandler } from "@react-router/express";
import express from "express";
import { authRoutes } from "tokenpair/express";
import { getAuth } from "../app/auth.server.ts";

export const app = express();

app.use(authRoutes(await getAuth()));
app.use(createRequestHandler({ build: () => import("virtual:react-router/server-build") }));
