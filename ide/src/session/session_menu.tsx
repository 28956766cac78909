import type { JSX } from "preact";
import type { App } from "../app";
import type { CommandName } from "../commands";
import { CommandItem } from "../shell/command_item";
import { Icon } from "../shell/icon";
import { MenuButton } from "../shell/menu";

const ITEMS: readonly CommandName[] = ["restartR", "restartEmpty", "takeBack", "quitSession"];

/** What can be done with R itself. */
export function SessionMenu({ app }: { readonly app: App }): JSX.Element {
  const face = (
    <>
      Session
      <Icon name="down" />
    </>
  );
  const isAway = app.link.link.value.kind !== "live";
  return (
    <MenuButton label="Session" testId="session-menu" face={face} disabled={isAway} right>
      {ITEMS.map((name) => (
        <CommandItem key={name} app={app} command={name} />
      ))}
    </MenuButton>
  );
}
