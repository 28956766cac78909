import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { App } from "../app";
import { COMMANDS, type CommandName } from "../commands";
import { useClosing } from "../shell/closing";
import { Icon } from "../shell/icon";
import { useMenuKeys } from "../shell/menu_keys";

const ITEMS: readonly CommandName[] = ["restartR", "restartEmpty", "takeBack", "quitSession"];

/** What can be done with R itself. */
export function SessionMenu({ app }: { readonly app: App }): JSX.Element {
  const shown = useSignal(false);
  const place = useRef<HTMLDivElement>(null);
  const close = (): void => {
    shown.value = false;
  };
  useClosing(place, close);
  return (
    <div class="project-menu" ref={place}>
      <button
        type="button"
        class="button"
        data-testid="session-menu"
        aria-haspopup="menu"
        aria-expanded={shown.value}
        disabled={app.link.link.value.kind !== "live"}
        onClick={() => {
          shown.value = !shown.value;
        }}
      >
        Session
        <Icon name="down" />
      </button>
      {shown.value ? <Items app={app} close={close} /> : null}
    </div>
  );
}

interface ItemsProps {
  readonly app: App;
  readonly close: () => void;
}

function Items({ app, close }: ItemsProps): JSX.Element {
  const menu = useRef<HTMLDivElement>(null);
  const press = useMenuKeys(menu);
  return (
    <div class="menu menu-right" role="menu" aria-label="Session" ref={menu} onKeyDown={press}>
      {ITEMS.map((name) => (
        <Item key={name} app={app} name={name} close={close} />
      ))}
    </div>
  );
}

function Item({ app, name, close }: ItemsProps & { readonly name: CommandName }): JSX.Element {
  const command = COMMANDS[name];
  const run = (): void => {
    close();
    void Promise.resolve(command.run(app)).catch((error: unknown) => app.report(error));
  };
  return (
    <button type="button" role="menuitem" class="menu-item" data-testid={`command-${name}`} onClick={run}>
      <span>{command.label}</span>
      {"keys" in command ? <span class="menu-detail">{command.keys}</span> : null}
    </button>
  );
}
