import type { ReactNode } from "react";
import icon from "../../page/icon.svg";

/** The name of the product, with its icon. */
export function Brand(): ReactNode {
  return (
    <p className="brand">
      {/* biome-ignore lint/performance/noImgElement: this isn't Next.js */}
      <img src={icon} alt="" width="24" height="24" /> tokenpair console
    </p>
  );
}
