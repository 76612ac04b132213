import type { ReactNode } from "react";
import { useParts } from "../data/context.ts";
import { useChange } from "../parts/change.ts";
import { ActionsMenu } from "../parts/menu.tsx";

const formats = [
  ["csv", "CSV"],
  ["jsonl", "JSON Lines"],
] as const;

/** The menu that downloads the entries that match. */
export function ExportMenu({ filter }: { readonly filter: Readonly<Record<string, string>> }): ReactNode {
  const { api } = useParts();
  const ask = useChange();
  return (
    <ActionsMenu
      label="Export…"
      text="Export…"
      items={formats.map(([format, name]) => ({
        text: name,
        onSelect: () =>
          ask({
            title: `Export the audit log as ${name}?`,
            consequences: [
              "The file has every entry that matches the filters.",
              "The export is recorded in the audit log.",
            ],
            submit: "Export",
            needsConfirmation: true,
            hasNoReason: true,
            async run() {
              const response = await api.open("audit/export/", { ...filter, format });
              save(await response.blob(), `audit.${format}`);
              return { title: "The export is downloaded." };
            },
          }),
      }))}
    />
  );
}

function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads the file after this task.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
