import { type ReactNode, useLayoutEffect, useRef, useState } from "react";

/** A table that scrolls sideways if it is too wide. Then the keyboard reaches it, so that the arrow keys scroll it. */
export function Scroll({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const [isTooWide, setTooWide] = useState(false);
  useLayoutEffect(() => {
    const { current } = box;
    if (current === null) return;
    const measure = () => setTooWide(current.scrollWidth > current.clientWidth);
    const observer = new ResizeObserver(measure);
    for (const element of [current, ...current.children]) observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const reached = isTooWide ? ({ role: "group", tabIndex: 0, "aria-label": label } as const) : {};
  return (
    <div className="scroll" ref={box} {...reached}>
      {children}
    </div>
  );
}
