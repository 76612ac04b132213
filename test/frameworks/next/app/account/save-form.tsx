"use client";

import { useState } from "react";
import { useAction } from "tokenpair/react";
import { save } from "../../lib/actions";

/** Sends the action as Next does it, and with `useAction`. */
export function SaveForm() {
  const [result, setResult] = useState("");
  const saveSafely = useAction(save);
  const run = async (send: typeof save, text: string) =>
    setResult(await send(text).catch((error: Error) => `failed: ${error.message}`));
  return (
    <>
      <button type="button" onClick={() => run(save, "plainly")}>
        Save
      </button>
      <button type="button" onClick={() => run(saveSafely, "safely")}>
        Save with useAction
      </button>
      <p id="result">{result}</p>
    </>
  );
}
