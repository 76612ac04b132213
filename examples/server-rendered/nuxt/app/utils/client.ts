import { createClient, patchFetch } from "tokenpair/client";

export const client = createClient();
patchFetch(client); // for useFetch and $fetch, which use the global fetch
