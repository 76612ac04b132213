/** Writes docs/cli.md from the commands themselves. Run by `npm run docs`. */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { createProgram } from "../../src/cli/program.ts";

const preamble = `# Command line

Generated from the commands' help by \`npm run docs\`. \`npx tokenpair help COMMAND\` prints the same.

The commands read [settings](settings.md) as the server does: from \`tokenpair.config.js\`, the environment and flags. The exit
code is 0 for success, 1 if the command was refused (the reason is on stderr), and 2 for wrong usage.
`;

/** Returns the whole page. */
export async function toCliReference(): Promise<string> {
  const { stdin, stdout, stderr } = process;
  const program = await createProgram(undefined, { directory: ".", env: {}, stdin, stdout, stderr });
  return [preamble, ...program.commands.flatMap((command) => toSections(command, "tokenpair"))].join("\n");
}

function toSections(command: Command, parent: string): string[] {
  const name = `${parent} ${command.name()}`;
  const sections = command.commands.flatMap((one) => toSections(one, name));
  // A command with options does something itself, such as `audit`.
  if (sections.length > 0 && command.options.length === 0) return sections;
  const help = command.createHelp();
  const rows = [
    ...help.visibleArguments(command).map((argument) => [argument.name(), help.argumentDescription(argument)]),
    ...help
      .visibleOptions(command)
      .filter(({ long }) => long !== "--help")
      .map((option) => [help.optionTerm(option), help.optionDescription(option)]),
  ];
  const lines = rows.map(
    ([term, text]) => `| \`${term}\` | ${text?.replaceAll("|", "\\|").replaceAll("<", "\\<")} |\n`,
  );
  const usage = `${name} ${command.usage()}`.trim();
  const table = lines.length === 0 ? "" : `\n| argument or option | meaning |\n|---|---|\n${lines.join("")}`;
  return [`## \`${name}\`\n\n${command.description()}\n\n\`\`\`\n${usage}\n\`\`\`\n${table}`, ...sections];
}

if (import.meta.main) writeFileSync(new URL("../../docs/cli.md", import.meta.url), await toCliReference());
