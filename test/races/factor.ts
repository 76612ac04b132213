/** How many times longer than usual the races and crashes run; `npm run proof -- chaos` sets it. A whole number from 1. */
export const chaosFactor = Number(process.env["TOKENPAIR_CHAOS_FACTOR"] ?? 1);
