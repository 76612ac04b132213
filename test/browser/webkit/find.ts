/** Describes elements of a page. It is JSON, so that it can be sent to the browser. */
export type Selector =
  | { readonly by: "css"; readonly css: string; readonly has?: Selector | undefined }
  | { readonly by: "role"; readonly role: string; readonly level?: number | undefined; readonly name?: Pattern }
  | { readonly by: "label"; readonly text: Pattern }
  | { readonly by: "text"; readonly text: Pattern }
  | { readonly by: "within"; readonly outer: Selector; readonly inner: Selector }
  | { readonly by: "or"; readonly either: Selector; readonly other: Selector }
  | { readonly by: "filter"; readonly of: Selector; readonly text: Pattern; readonly isWanted: boolean }
  | { readonly by: "at"; readonly of: Selector; readonly index: number };

/** A regular expression as JSON. */
export interface Pattern {
  readonly source: string;
  readonly flags: string;
}

/** Runs in the page. Returns the elements in the order of the document. It can't use anything outside of itself. */
export function findElements(selector: Selector): HTMLElement[] {
  const css: Readonly<Record<string, string>> = {
    heading: "h1, h2, h3, h4, h5, h6",
    button: "button",
    listitem: "li",
    status: "[role=status]",
  };
  const trim = (text: string | null) => (text ?? "").replace(/\s+/g, " ").trim();
  const textOf = (element: Element) => trim(element.textContent);
  const matches = ({ source, flags }: Pattern, text: string) => new RegExp(source, flags).test(text);
  const nameOf = (element: Element) => trim(element.getAttribute("aria-label")) || textOf(element);
  const all = (root: ParentNode, query: string) => [...root.querySelectorAll<HTMLElement>(query)];

  function find(sought: Selector, root: ParentNode): HTMLElement[] {
    switch (sought.by) {
      case "css": {
        const { has } = sought;
        return all(root, sought.css).filter((element) => !has || find(has, element).length > 0);
      }
      case "role": {
        const { role, level, name } = sought;
        return all(root, level ? `h${level}` : (css[role] ?? `[role=${role}]`)).filter(
          (element) => element.checkVisibility() && (!name || matches(name, nameOf(element))),
        );
      }
      case "label":
        return all(root, "input").filter((input) =>
          [...((input as HTMLInputElement).labels ?? [])].some((label) => matches(sought.text, textOf(label))),
        );
      case "text": {
        const hits = all(root, "body *").filter((element) => matches(sought.text, textOf(element)));
        return hits.filter((element) => !hits.some((other) => other !== element && element.contains(other)));
      }
      case "within":
        return find(sought.outer, root).flatMap((outer) => find(sought.inner, outer));
      case "or": {
        const either = new Set([...find(sought.either, root), ...find(sought.other, root)]);
        return all(root, "*").filter((element) => either.has(element));
      }
      case "filter":
        return find(sought.of, root).filter((element) => matches(sought.text, textOf(element)) === sought.isWanted);
      case "at":
        return find(sought.of, root).slice(sought.index).slice(0, 1);
    }
  }
  return find(selector, document);
}
