import { createClient, patchFetch } from "tokenpair/client";

export const client = createClient();
patchFetch(client); // for the router's loaders and actions, which use the global fetch
