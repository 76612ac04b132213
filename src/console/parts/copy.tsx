import { type ReactNode, useState } from "react";

/** A button that copies a text. Without a clipboard, as over plain http, it isn't shown: the text can be selected. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }): ReactNode {
  const [isCopied, setCopied] = useState(false);
  if (!("clipboard" in navigator)) return null;
  const copy = async () => {
    await navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <button type="button" className="small" onClick={() => void copy()} onBlur={() => setCopied(false)}>
      {isCopied ? "Copied" : "Copy"}
      <span className="vh"> {what}</span>
    </button>
  );
}
