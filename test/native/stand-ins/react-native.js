/** Stands in for `react-native`, whose native half exists only on a device. */
export const AppState = { addEventListener: (type, listener) => globalThis.device.listen(type, listener) };
