import express from "express";
import { app } from "./build/server/index.js";

const server = express();
server.disable("x-powered-by");
server.use("/assets", express.static("build/client/assets", { immutable: true, maxAge: "1y", redirect: false }));
server.use(express.static("build/client", { redirect: false }));
server.use(app);
server.listen(Number(process.env["PORT"] ?? 3000), process.env["HOST"]);
