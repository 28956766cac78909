import type { JSX } from "preact";
import type { App } from "../app";
import { COMMANDS, type Command, type CommandName } from "../commands";
import { MenuItem } from "./menu";

interface Props {
  readonly app: App;
  readonly command: CommandName;
  /** Other words than those of the table. */
  readonly label?: string | undefined;
}

/** An entry of the command table in a menu, with its keys. */
export function CommandItem({ app, command, label }: Props): JSX.Element {
  const { keys, run, ...named }: Command = COMMANDS[command];
  const choose = (): void => {
    void Promise.resolve(run(app)).catch((error: unknown) => app.report(error));
  };
  return (
    <MenuItem run={choose} testId={`command-${command}`}>
      <span>{label ?? named.label}</span>
      {keys === undefined ? null : <span class="menu-detail">{keys}</span>}
    </MenuItem>
  );
}
