/** Whether tests that take too long for `npm test` run, too. Their run of `npm run proof` sets it. */
export const hasLongTests = process.env["TOKENPAIR_LONG_TESTS"] === "true";
