import { handlers } from "tokenpair/next";
import { getAuth } from "../../../lib/auth";

export const { GET, HEAD, POST, PATCH, DELETE, OPTIONS } = handlers(getAuth);
