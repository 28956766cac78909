import type { JSX } from "preact";
import type { App } from "../app";
import type { SharedProject } from "../net/sharing_protocol";
import { openElsewhere, openHere } from "../project/opening";
import { MenuGroup, MenuItem } from "../shell/menu";
import { calledBy, plain } from "./names";

const MOST_SHOWN = 8;

/** Projects of others that this user may open, in the project's menu. */
export function SharedProjects({ app }: { readonly app: App }): JSX.Element | null {
  const open = app.project.open.value?.folder;
  const shown = app.sharing.withMe.value.filter((shared) => shared.project_dir !== open).slice(0, MOST_SHOWN);
  if (shown.length === 0) return null;
  return (
    <MenuGroup label="Shared with you">
      {shown.map((shared) => (
        <SharedItem key={shared.project_dir} app={app} shared={shared} />
      ))}
    </MenuGroup>
  );
}

interface Props {
  readonly app: App;
  readonly shared: SharedProject;
}

function SharedItem({ app, shared }: Props): JSX.Element {
  const owner = calledBy({ name: shared.owner, full_name: shared.owner_full_name });
  const choose = (event: MouseEvent): void => {
    void (event.ctrlKey || event.metaKey ? openElsewhere : openHere)(app, shared.project_dir);
  };
  return (
    <MenuItem title={`${plain(shared.project_dir)}\nCtrl+click: in a new tab`} run={choose}>
      <bdi>{plain(shared.name)}</bdi>
      <bdi class="menu-detail">of {owner}</bdi>
    </MenuItem>
  );
}
