import type { ReactNode } from "react";

/** How a tag looks. */
export type Tone = "good" | "caution" | "bad" | "mine" | "plain";

/** A short word about the state of something. */
export function Tag({ tone = "plain", children }: { readonly tone?: Tone; readonly children: ReactNode }): ReactNode {
  return <span className={tone === "plain" ? "tag" : `tag ${tone}`}>{children}</span>;
}
