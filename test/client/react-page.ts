import { Window } from "happy-dom";
import type { ReactNode } from "react";
import type { Root } from "react-dom/client";
import { vi } from "vitest";

/** A page whose content React renders. */
export interface ReactPage {
  readonly render: (node: ReactNode) => Promise<void>;
  /** Lets React take over `html`. Returns the errors that it reported, for example because something else was rendered. */
  readonly hydrate: (html: string, node: ReactNode) => Promise<readonly unknown[]>;
  /** Runs something that changes the state, and waits until React has rendered the change. */
  readonly act: <T>(run: () => Promise<T>) => Promise<T>;
  readonly text: () => string;
  readonly close: () => Promise<void>;
}

/** Opens a page, and replaces the globals by its own until it is closed. */
export async function openReactPage(): Promise<ReactPage> {
  const window = new Window();
  vi.stubGlobal("window", window);
  vi.stubGlobal("document", window.document);
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  // Loaded now, because they look at the globals.
  const { act } = await import("react");
  const { createRoot, hydrateRoot } = await import("react-dom/client");
  const container = window.document.createElement("div");
  window.document.body.append(container);
  const element = container as unknown as Element;
  let root: Root | undefined;

  const runInAct = async <T>(run: () => Promise<T>): Promise<T> => {
    let result: Promise<T> | undefined;
    await act(async () => {
      result = run();
      await result;
    });
    return result as Promise<T>;
  };

  return {
    async render(node) {
      root ??= createRoot(element);
      const { render } = root;
      await runInAct(async () => render.call(root, node));
    },
    async hydrate(html, node) {
      const errors: unknown[] = [];
      container.innerHTML = html;
      await runInAct(async () => {
        root = hydrateRoot(element, node, { onRecoverableError: (error) => errors.push(error) });
      });
      return errors;
    },
    act: runInAct,
    text: () => container.textContent,
    async close() {
      await runInAct(async () => root?.unmount());
      await window.happyDOM.close();
      vi.unstubAllGlobals();
    },
  };
}
