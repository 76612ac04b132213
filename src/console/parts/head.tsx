import { type ReactNode, useEffect, useRef } from "react";

/** The props of `Head`. */
export interface HeadProps {
  readonly title: string;
  /** What is beside the heading. */
  readonly beside?: ReactNode;
  /** The page's buttons. */
  readonly children?: ReactNode;
}

/** The path of the page that was shown last. The first page leaves the focus at the document's start. */
let shownPath: string | undefined;

/** Says that another page than those with a head is shown, such as the login. The next head then takes the focus. */
export function leavePages(): void {
  shownPath = "";
}

/** The head of a page: its only h1, which takes the focus when the reader comes from another page, and the document's title. */
export function Head({ title, beside, children }: HeadProps): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · tokenpair console`;
  }, [title]);
  useEffect(() => {
    const { pathname } = location;
    if (shownPath !== undefined && shownPath !== pathname) {
      heading.current?.focus();
      scrollTo(0, 0);
    }
    shownPath = pathname;
  }, []);
  return (
    <div className="head">
      <h1 ref={heading} tabIndex={-1} dir="auto">
        {title}
      </h1>
      {beside}
      {children === undefined || children === null ? null : <div className="do">{children}</div>}
    </div>
  );
}
