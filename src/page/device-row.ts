import type { SessionInfo } from "../client/index.ts";
import { toDeviceName } from "./device-name.ts";
import { createButton, element } from "./dom.ts";
import { toAgeText } from "./time.ts";

/** What a row asks of the list, which says by itself what went wrong. */
export interface DeviceActions {
  /** Answers whether it worked. */
  /** `null` takes the name away. */
  readonly rename: (device: SessionInfo, label: string | null) => Promise<boolean>;
  readonly logOut: (device: SessionInfo) => Promise<void>;
}

/** One device in the list. */
export interface DeviceRow {
  readonly root: HTMLLIElement;
  /** Shows the device as it is now; a name that is being edited stays as it is. */
  readonly update: (device: SessionInfo) => void;
}

/** The name that a person gave the device, or what its browser says of itself. */
export function toTitle({ label, userAgent }: SessionInfo): string {
  return label ?? toDeviceName(userAgent);
}

export function createDeviceRow(first: SessionInfo, { rename, logOut }: DeviceActions): DeviceRow {
  let device = first;
  const name = element("span", { class: "device-name" });
  const details = element("p", { class: "quiet" });
  const renameButton = createButton("Rename", edit);
  const logOutButton = createButton("Log out", () => logOut(device));
  const badge = first.current ? [element("span", { class: "badge" }, "This device")] : [];
  const shown = [
    element("div", { class: "device" }, element("p", {}, name, " ", ...badge), details),
    element("div", { class: "actions" }, renameButton, logOutButton),
  ];
  const root = element("li", {}, ...shown);

  function update(next: SessionInfo): void {
    device = next;
    const title = toTitle(device);
    name.textContent = title;
    renameButton.setAttribute("aria-label", `Rename ${title}`);
    logOutButton.setAttribute("aria-label", `Log out ${title}`);
    const used = `used ${toAgeText(device.lastUsedAt, Date.now() / 1000)}`.replaceAll(" ", "\u00a0");
    const kind = device.label === null ? [] : [toDeviceName(device.userAgent)];
    details.textContent = [...kind, ...(device.ip === null ? [] : [device.ip]), used].join(" · ");
  }

  function edit(): void {
    const input = element("input", { "aria-label": "Name of the device", maxlength: "100", value: toTitle(device) });
    const close = () => {
      root.replaceChildren(...shown);
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

  update(first);
  return { root, update };
}
