import type { SessionInfo } from "../client/index.ts";
import { createDeviceRow, type DeviceActions, type DeviceRow } from "./device-row.ts";
import { element } from "./dom.ts";

/** The list of the user's devices. */
export interface DeviceList {
  readonly root: HTMLElement;
  /** Shows exactly these devices. A device keeps its row, so that a focused button in the row keeps the focus. */
  readonly show: (devices: readonly SessionInfo[]) => void;
  readonly has: (device: SessionInfo) => boolean;
}

/** Creates an empty list. */
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
      for (const [index, device] of devices.entries()) {
        const row = rows.get(device.id) ?? createDeviceRow(device, actions);
        rows.set(device.id, row);
        row.update(device);
        if (root.children[index] !== row.root) root.insertBefore(row.root, root.children[index] ?? null);
      }
    },
    has: ({ id }) => rows.has(id),
  };
}
