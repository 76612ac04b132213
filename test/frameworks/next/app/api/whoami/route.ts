import { withUser } from "tokenpair/next";
import { getAuth } from "../../../lib/auth";

const withAuth = withUser(getAuth);

export const GET = withAuth((_request, { userId }) => Response.json({ userId }));
export const POST = withAuth((_request, { userId }) => Response.json({ userId }));
