import { safeNext } from "tokenpair";
import type { PageServerLoad } from "./$types";

export const load: PageServerLoad = ({ url }) => ({
  next: safeNext(url.searchParams.get("next"), url.origin) ?? "/notes",
});
