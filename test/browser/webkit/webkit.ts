import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { findFreePort } from "../../support/free-port.ts";
import type { BrowserOptions, Device, DeviceCookie, DeviceOptions, TestBrowser } from "../device.ts";
import { stopForAWhile } from "../stop-for-a-while.ts";
import { until } from "../until.ts";
import { type HostProxy, openProxy } from "./proxy.ts";
import { openWebKitTab } from "./tab.ts";
import { startSession } from "./webdriver.ts";

/** The browser of WebKitGTK, which is in the folder of the library. */
const miniBrowser = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/webkit2gtk-4.1/MiniBrowser`;

/** What `openWebKit` starts, by the Debian package that installs it. */
export const webKitPaths = { "webkit2gtk-driver": "/usr/bin/WebKitWebDriver", xvfb: "/usr/bin/Xvfb" };

/** The features of a device that `lacksLocksAndChannel`, switched off. */
const lockAndChannel = ["-WebLocksAPI", "-BroadcastChannel"];

/** Starts a display for WebKitGTK. Each device is a process of its own, because a driver has one session. */
export async function openWebKit(options: BrowserOptions): Promise<TestBrowser> {
  const display = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const [number] = await once(display.stdio[3] as Readable, "data");
  const proxy = await openProxy();
  const open = new Map<Device, ChildProcess>();
  return {
    async device(more) {
      const display = `:${String(number).trim()}`;
      const { device, driver } = await openDevice(display, proxy, { ...options, ...more });
      const close = async () => {
        open.delete(device);
        await device.close();
      };
      open.set(device, driver);
      return { ...device, close };
    },
    sleep: async (milliseconds) =>
      void (await Promise.all([...open.values()].map((d) => stopForAWhile(d, milliseconds)))),
    async close() {
      for (const device of open.keys()) await device.close();
      proxy.close();
      display.kill();
    },
  };
}

/** Starts a driver and its browser. */
async function openDevice(display: string, proxy: HostProxy, options: BrowserOptions & DeviceOptions) {
  const port = await findFreePort();
  const driver = spawn("WebKitWebDriver", [`--port=${port}`], {
    // In a process group of its own, which `sleep` stops.
    detached: true,
    env: { ...process.env, DISPLAY: display, NO_AT_BRIDGE: "1" },
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  await until(() =>
    fetch(`${url}/status`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  const features = [
    ...(options.cachesPages ? [] : ["-UsesBackForwardCache"]),
    ...(options.lacksLocksAndChannel ? lockAndChannel : []),
    ...(options.lacksStorage ? ["-LocalStorage"] : []),
  ];
  const args = [
    "--automation",
    `--features=${features.join(",")}`,
    ...proxy.args,
    ...(options.blocksCookies ? ["--cookies-policy=never"] : []),
    ...(options.isDark ? ["--dark-mode"] : []),
  ];
  const capabilities = { "webkitgtk:browserOptions": { binary: miniBrowser, args } };
  const session = await startSession(url, capabilities, options.hasWindows ? "window" : "tab");
  let isOpen = true;
  const device: Device = {
    newPage: () => openWebKitTab(session),
    async cookies(address) {
      // The protocol returns the cookies of the current page only.
      const window = await session.openWindow();
      await session.command(window, "POST", "url", { url: address });
      const cookies = (await session.command(window, "GET", "cookie")) as readonly (Omit<DeviceCookie, "expires"> & {
        readonly expiry?: number;
      })[];
      await session.command(window, "DELETE", "window");
      return cookies.map(({ expiry = -1, ...cookie }) => ({ ...cookie, expires: expiry }));
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      // Whatever the driver answers, its process group ends, which the browser is in.
      await session.close().catch(() => undefined);
      if (driver.pid !== undefined) process.kill(-driver.pid, "SIGKILL");
    },
  };
  return { device, driver };
}
