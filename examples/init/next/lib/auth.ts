import { createAuth } from "tokenpair";
import { loadConfig } from "tokenpair/config";
import { pages, sharedAuth } from "tokenpair/next";
import config from "../tokenpair.config";

export const getAuth = sharedAuth(async () => {
  const auth = createAuth(await loadConfig({ config }));
  await auth.ready();
  return auth;
});

export const { currentUser, requireUser, initialSession } = pages(getAuth, { loginPath: "/login" });
