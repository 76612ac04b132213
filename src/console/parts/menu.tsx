import { type KeyboardEvent, type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { placeMenu } from "./place-menu.ts";

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

/** Where the focus goes when the menu opens. */
type Start = "first" | "last";

/**
 * A button that opens a menu, with the keys of the ARIA Authoring Practices: Enter, space and the arrows open it; the arrows, Home, End
 * and letters move in it; Escape and Tab close it.
 */
export function ActionsMenu({ label, items, isSmall = false, text }: ActionsMenuProps): ReactNode {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const [start, setStart] = useState<Start | null>(null);
  if (items.length === 0) return null;
  return (
    <>
      <button
        ref={button}
        type="button"
        className={isSmall ? "small" : undefined}
        aria-label={text === undefined ? label : undefined}
        aria-haspopup="menu"
        aria-expanded={start !== null}
        aria-controls={start === null ? undefined : id}
        onClick={() => setStart(start === null ? "first" : null)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
          event.preventDefault();
          setStart(event.key === "ArrowDown" ? "first" : "last");
        }}
      >
        {text ?? <span aria-hidden="true">···</span>}
      </button>
      {start === null ? null : (
        <OpenMenu
          id={id}
          label={label}
          items={items}
          start={start}
          button={button.current}
          close={() => setStart(null)}
        />
      )}
    </>
  );
}

interface OpenMenuProps extends Pick<ActionsMenuProps, "label" | "items"> {
  readonly id: string;
  readonly start: Start;
  readonly button: HTMLButtonElement | null;
  readonly close: () => void;
}

function OpenMenu({ id, label, items, start, button, close }: OpenMenuProps): ReactNode {
  const menu = useRef<HTMLDivElement>(null);
  const closing = useRef(close);
  useEffect(() => {
    closing.current = close;
  });
  const listItems = () => [...(menu.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])];
  // The top layer, so that no card clips it.
  useLayoutEffect(() => {
    const { current } = menu;
    if (current === null || button === null) return;
    current.showPopover();
    placeMenu(current, button);
    const all = [...current.querySelectorAll<HTMLElement>('[role="menuitem"]')];
    all.at(start === "first" ? 0 : -1)?.focus();
    const onPress = ({ target }: Event) => {
      if (target instanceof Node && !current.contains(target) && !button.contains(target)) closing.current();
    };
    const onMove = () => placeMenu(current, button);
    document.addEventListener("pointerdown", onPress, true);
    addEventListener("resize", onMove);
    addEventListener("scroll", onMove, true);
    return () => {
      document.removeEventListener("pointerdown", onPress, true);
      removeEventListener("resize", onMove);
      removeEventListener("scroll", onMove, true);
    };
  }, [button, start]);

  function move(event: KeyboardEvent): void {
    const all = listItems();
    const index = all.indexOf(document.activeElement as HTMLElement);
    const { key } = event;
    if (key === "Tab") {
      close();
      return;
    }
    const next = findNext(all, index, key);
    if (key === "Escape") {
      close();
      button?.focus();
    } else if (next === undefined) return;
    else next.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div
      ref={menu}
      id={id}
      className="menu"
      role="menu"
      tabIndex={-1}
      aria-label={label}
      popover="manual"
      onKeyDown={move}
    >
      {items.map(({ text, isDangerous, onSelect }) => (
        <button
          key={text}
          type="button"
          role="menuitem"
          tabIndex={-1}
          className={isDangerous ? "danger" : undefined}
          onPointerMove={({ currentTarget }) => currentTarget.focus()}
          onClick={() => {
            close();
            // What opens now gives the focus back to the button.
            button?.focus();
            onSelect();
          }}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

function findNext(all: readonly HTMLElement[], index: number, key: string): HTMLElement | undefined {
  if (key === "ArrowDown") return all[(index + 1) % all.length];
  if (key === "ArrowUp") return all.at(index <= 0 ? -1 : index - 1);
  if (key === "Home" || key === "PageUp") return all[0];
  if (key === "End" || key === "PageDown") return all.at(-1);
  if (key.length !== 1 || key === " ") return undefined;
  const after = [...all.slice(index + 1), ...all.slice(0, index + 1)];
  return after.find((item) => item.textContent?.toLowerCase().startsWith(key.toLowerCase()));
}
