/** For the browser: import it in your front end. The tokens are in cookies that scripts can't read. */
import { createClient } from "tokenpair/client";

export const client = createClient();
