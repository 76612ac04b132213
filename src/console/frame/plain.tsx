import { type ReactNode, useEffect } from "react";
import { Brand } from "./brand.tsx";

/** A page without navigation. */
export function Plain({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  useEffect(() => {
    document.title = `${title} · tokenpair console`;
  }, [title]);
  return (
    <>
      <header className="bar">
        <Brand />
      </header>
      <main className="plain">{children}</main>
    </>
  );
}
