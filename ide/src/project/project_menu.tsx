import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { App } from "../app";
import { COMMANDS, type CommandName } from "../commands";
import type { RecentProject } from "../net/protocol";
import { useClosing } from "../shell/closing";
import { shortPath } from "../shell/file_paths";
import { Icon } from "../shell/icon";
import { useMenuKeys } from "../shell/menu_keys";
import { openElsewhere, openHere } from "./opening";

const MOST_SHOWN = 8;

/** The project's name in the line at the top, and what can be done with projects. */
export function ProjectMenu({ app }: { readonly app: App }): JSX.Element | null {
  const shown = useSignal(false);
  const place = useRef<HTMLDivElement>(null);
  const close = (): void => {
    shown.value = false;
  };
  useClosing(place, close);
  if (app.session.value === null) return null;
  const project = app.project.open.value;
  const toggle = (): void => {
    shown.value = !shown.value;
    if (shown.value) void app.project.reloadRecent();
  };
  return (
    <div class="project-menu" ref={place}>
      <button
        type="button"
        class="button project-name"
        data-testid="project-menu"
        aria-haspopup="menu"
        aria-expanded={shown.value}
        title={project === null ? "No project is open" : project.folder}
        onClick={toggle}
      >
        <Icon name="folder" />
        <bdi>{project?.name ?? "No project"}</bdi>
        <Icon name="down" />
      </button>
      {shown.value ? <Menu app={app} close={close} /> : null}
    </div>
  );
}

interface MenuProps {
  readonly app: App;
  readonly close: () => void;
}

function Menu({ app, close }: MenuProps): JSX.Element {
  const menu = useRef<HTMLDivElement>(null);
  const press = useMenuKeys(menu);
  const open = app.project.open.value;
  const others = app.project.recent.value.filter((recent) => recent.folder !== open?.folder).slice(0, MOST_SHOWN);
  return (
    <div class="menu" role="menu" aria-label="Project" ref={menu} onKeyDown={press} data-testid="project-items">
      <CommandItem app={app} command="newProject" close={close} />
      <CommandItem app={app} command="openProject" close={close} />
      <CommandItem app={app} command="newSession" close={close} />
      {open === null ? null : <CommandItem app={app} command="projectOptions" close={close} />}
      {open === null ? null : <CloseItem app={app} close={close} />}
      {others.length === 0 ? null : <p class="menu-heading">Recent projects</p>}
      {others.map((recent) => (
        <RecentItem key={recent.file} app={app} recent={recent} close={close} />
      ))}
    </div>
  );
}

function CommandItem({ app, command, close }: MenuProps & { readonly command: CommandName }): JSX.Element {
  const run = (): void => {
    close();
    void COMMANDS[command].run(app);
  };
  return (
    <button type="button" role="menuitem" class="menu-item" onClick={run}>
      {COMMANDS[command].label}
    </button>
  );
}

function CloseItem({ app, close }: MenuProps): JSX.Element {
  const leave = (): void => {
    close();
    void openHere(app, "");
  };
  return (
    <button type="button" role="menuitem" class="menu-item" onClick={leave}>
      Close project
    </button>
  );
}

function RecentItem({ app, recent, close }: MenuProps & { readonly recent: RecentProject }): JSX.Element {
  const choose = (event: MouseEvent): void => {
    close();
    if (recent.gone) void forgetGone(app, recent);
    else void (event.ctrlKey || event.metaKey ? openElsewhere : openHere)(app, recent.folder);
  };
  const folder = shortPath(recent.folder, app.session.value?.home ?? "");
  return (
    <button
      type="button"
      role="menuitem"
      class="menu-item"
      title={`${recent.folder}\nCtrl+click: in a new tab`}
      onClick={choose}
    >
      <bdi>{recent.name}</bdi>
      <span class="menu-detail">{recent.gone ? "gone" : folder}</span>
    </button>
  );
}

async function forgetGone(app: App, recent: RecentProject): Promise<void> {
  const text = `There is no project in ${recent.folder} any more.`;
  const choices = [{ label: "Remove from list", value: true, look: "primary" as const }];
  if (await app.dialogs.ask("The project is gone", text, choices)) await app.project.forget(recent.folder);
}
