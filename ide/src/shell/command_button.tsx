import type { JSX } from "preact";
import type { App } from "../app";
import { COMMANDS, type CommandName, hint } from "../commands";
import { Icon, type IconName } from "./icon";

interface Props {
  readonly app: App;
  readonly command: CommandName;
  readonly icon: IconName;
  readonly testId: string;
  readonly disabled?: boolean;
  /** Show the label beside the icon. */
  readonly labelled?: boolean;
  readonly look?: string;
}

/** A button for an entry of the command table. */
export function CommandButton({ app, command, icon, testId, disabled, labelled, look }: Props): JSX.Element {
  const { label } = COMMANDS[command];
  const run = (): void => {
    void Promise.resolve(COMMANDS[command].run(app)).catch((error: unknown) => app.report(error));
  };
  return (
    <button
      type="button"
      class={`button ${labelled ? "" : "button-icon"} ${look ?? ""}`}
      data-testid={testId}
      title={hint(command)}
      aria-label={label}
      disabled={disabled ?? false}
      onClick={run}
    >
      <Icon name={icon} solid={icon === "run" || icon === "runAll" || icon === "stop"} />
      {labelled ? <span>{label}</span> : null}
    </button>
  );
}
