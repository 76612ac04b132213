/** Stands in for `expo-crypto`, whose native half exists only on a device. */
export const getRandomValues = (array) => globalThis.device.getRandomValues(array);
