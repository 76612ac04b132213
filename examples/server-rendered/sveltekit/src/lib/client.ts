import { createClient, patchFetch } from "tokenpair/client";

export const client = createClient();
patchFetch(client); // for SvelteKit's router and forms, which use the global fetch
