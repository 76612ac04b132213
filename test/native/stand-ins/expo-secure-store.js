/** Stands in for `expo-secure-store`, whose native half exists only on a device. */
export const AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY = 1;
export const getItemAsync = (key, options) => globalThis.device.getItem(key, options);
export const setItemAsync = (key, value, options) => globalThis.device.setItem(key, value, options);
export const deleteItemAsync = (key, options) => globalThis.device.removeItem(key, options);
