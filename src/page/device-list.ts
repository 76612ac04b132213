import type { SessionInfo } from "../client/index.ts";
import { createDeviceRow, type DeviceActions, type DeviceRow } from "./device-row.ts";
import { element } from "./dom.ts";

/** The rows of the devices. */
export interface DeviceList {
  readonly root: HTMLElement;
  /** Shows these and no others. A device's row stays the same one, so that the keyboard keeps its place. */
  readonly show: (devices: readonly SessionInfo[]) => void;
  readonly has: (device: SessionInfo) => boolean;
}

export function createDeviceList(actions: DeviceActions): DeviceList {
  const root = element("ul", { class: "devices" });
  const rows = new Map<string, DeviceRow>();
  return {
    root,
    show(devices) {
      const ids = new Set(devices.map(({ id }) => id));
      for (const [id, row] of rows) {
        if (ids.has(id)) continue;
        row.root.remove();
        rows.delete(id);
      }
      for (const [at, device] of devices.entries()) {
        const row = rows.get(device.id) ?? createDeviceRow(device, actions);
        rows.set(device.id, row);
        row.update(device);
        if (root.children[at] !== row.root) root.insertBefore(row.root, root.children[at] ?? null);
      }
    },
    has: ({ id }) => rows.has(id),
  };
}
