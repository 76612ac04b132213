import type { SessionInfo } from "../client/index.ts";
import { toDeviceName } from "./device-name.ts";
import { createButton, element } from "./dom.ts";
import { toAgeText } from "./time.ts";

/** The functions that the buttons of a row call. They show errors themselves. */
export interface DeviceActions {
  /** Renames the device, or removes its name if `label` is `null`. Returns whether it succeeded. */
  readonly rename: (device: SessionInfo, label: string | null) => Promise<boolean>;
  /** Logs the device out. */
  readonly logOut: (device: SessionInfo) => Promise<void>;
}

/** The row of one device. */
export interface DeviceRow {
  readonly root: HTMLLIElement;
  /** Shows the current data of the device. A name that is being edited doesn't change. */
  readonly update: (device: SessionInfo) => void;
}

/** Returns the name that the user gave the device, or the name of its browser. */
export function toTitle({ label, userAgent }: SessionInfo): string {
  return label ?? toDeviceName(userAgent);
}

/** Creates the row of one device. */
export function createDeviceRow(initial: SessionInfo, { rename, logOut }: DeviceActions): DeviceRow {
  let device = initial;
  const name = element("span", { class: "device-name" });
  const details = element("p", { class: "quiet" });
  const renameButton = createButton("Rename", edit);
  const logOutButton = createButton("Log out", () => logOut(device));
  const badge = initial.current ? [element("span", { class: "badge" }, "This device")] : [];
  const content = [
    element("div", { class: "device" }, element("p", {}, name, " ", ...badge), details),
    element("div", { class: "actions" }, renameButton, logOutButton),
  ];
  const root = element("li", {}, ...content);

  function update(next: SessionInfo): void {
    device = next;
    const title = toTitle(device);
    name.textContent = title;
    renameButton.setAttribute("aria-label", `Rename ${title}`);
    logOutButton.setAttribute("aria-label", `Log out ${title}`);
    const used = `last used ${toAgeText(device.lastUsedAt, Date.now() / 1000)}`.replaceAll(" ", "\u00a0");
    const kind = device.label === null ? [] : [toDeviceName(device.userAgent)];
    details.textContent = [...kind, ...(device.ip === null ? [] : [device.ip]), used].join(" · ");
  }

  function edit(): void {
    const input = element("input", { "aria-label": "Device name", maxlength: "100", value: toTitle(device) });
    const close = () => {
      root.replaceChildren(...content);
      renameButton.focus();
    };
    const save = async () => {
      const label = input.value.trim();
      if (label === toTitle(device) || (await rename(device, label === "" ? null : label))) close();
    };
    const form = element(
      "form",
      { class: "rename", method: "post" },
      input,
      element("button", { type: "submit", class: "primary" }, "Save"),
      createButton("Cancel", close),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void save();
    });
    form.addEventListener("keydown", ({ key }) => key === "Escape" && close());
    root.replaceChildren(form);
    input.select();
  }

  update(initial);
  return { root, update };
}
