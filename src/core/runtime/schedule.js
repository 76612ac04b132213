/** The machine's timers. A pending timer does not keep the process alive. */
export const unrefSchedule = (callback, ms) => {
  const timer = setTimeout(callback, ms).unref();
  return { cancel: () => clearTimeout(timer) };
};
//# sourceMappingURL=schedule.js.map
