import type { RequestHandler } from "express";
import { requireUser } from "tokenpair/express";
import { auth } from "./auth.ts";

const authenticate = requireUser(auth);

/** Sets `req.auth` if a logged-in user sent the request, and otherwise leaves it undefined. */
export const optionalUser: RequestHandler = async (req, res, next) => {
  const checked = await auth.check(req);
  if (checked.ok) req.auth = checked.authentication;
  else if (checked.response.status === 503) return authenticate(req, res, next); // sends the 503
  next();
};
