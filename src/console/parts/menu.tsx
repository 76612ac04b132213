import { Menu } from "@base-ui/react/menu";
import type { ReactNode } from "react";

/** One item of a menu. */
export interface MenuItem {
  readonly text: string;
  readonly isDangerous?: boolean;
  readonly onSelect: () => void;
}

/** The props of `ActionsMenu`. */
export interface ActionsMenuProps {
  /** What the button does, for those who don't see it: `Actions for grace`. */
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly isSmall?: boolean;
  /** The button's text. Default: three dots. */
  readonly text?: string;
}

/** A button that opens a menu. */
export function ActionsMenu({ label, items, isSmall = false, text }: ActionsMenuProps): ReactNode {
  if (items.length === 0) return null;
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger className={isSmall ? "small" : undefined} aria-label={text === undefined ? label : undefined}>
        {text ?? <span aria-hidden="true">···</span>}
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className="menu-place" sideOffset={4} align="end" collisionPadding={8}>
          <Menu.Popup className="menu">
            {items.map(({ text, isDangerous, onSelect }) => (
              <Menu.Item key={text} className={isDangerous ? "danger" : undefined} onClick={onSelect}>
                {text}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
