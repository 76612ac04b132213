import type { ReactNode } from "react";
import icon from "../../page/icon.svg";

/** The name of the product, with its icon. */
export function Brand(): ReactNode {
  return (
    <p className="brand">
      <img src={icon} alt="" width="24" height="24" /> tokenpair console
    </p>
  );
}
