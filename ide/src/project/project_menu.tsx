import type { JSX } from "preact";
import type { App } from "../app";
import type { RecentProject } from "../net/protocol";
import { ShareItem } from "../sharing/share_item";
import { SharedProjects } from "../sharing/shared_projects";
import { CommandItem } from "../shell/command_item";
import { shortPath } from "../shell/file_paths";
import { Icon } from "../shell/icon";
import { MenuButton, MenuGroup, MenuItem } from "../shell/menu";
import { openElsewhere, openHere } from "./opening";

const MOST_SHOWN = 8;

/** The project's name in the line at the top, and what can be done with projects. */
export function ProjectMenu({ app }: { readonly app: App }): JSX.Element | null {
  if (app.session.value === null) return null;
  const project = app.project.open.value;
  const face = (
    <>
      <Icon name="folder" />
      <bdi>{project?.name ?? "No project"}</bdi>
      <Icon name="down" />
    </>
  );
  return (
    <MenuButton
      label="Project"
      testId="project-menu"
      listId="project-items"
      look="project-name"
      title={project === null ? "No project is open" : project.folder}
      face={face}
      opened={() => {
        void app.project.reloadRecent();
        void app.sharing.reloadWithMe();
      }}
    >
      <CommandItem app={app} command="newProject" />
      <CommandItem app={app} command="openProject" />
      <CommandItem app={app} command="newSession" />
      {project === null ? null : <CommandItem app={app} command="projectOptions" />}
      <ShareItem app={app} />
      {project === null ? null : <MenuItem run={() => void openHere(app, "")}>Close project</MenuItem>}
      <RecentProjects app={app} />
      <SharedProjects app={app} />
    </MenuButton>
  );
}

function RecentProjects({ app }: { readonly app: App }): JSX.Element | null {
  const open = app.project.open.value;
  const others = app.project.recent.value.filter((recent) => recent.folder !== open?.folder).slice(0, MOST_SHOWN);
  if (others.length === 0) return null;
  return (
    <MenuGroup label="Recent projects">
      {others.map((recent) => (
        <RecentItem key={recent.file} app={app} recent={recent} />
      ))}
    </MenuGroup>
  );
}

interface RecentProps {
  readonly app: App;
  readonly recent: RecentProject;
}

function RecentItem({ app, recent }: RecentProps): JSX.Element {
  const choose = (event: MouseEvent): void => {
    if (recent.gone) void forgetGone(app, recent);
    else void (event.ctrlKey || event.metaKey ? openElsewhere : openHere)(app, recent.folder);
  };
  const folder = shortPath(recent.folder, app.session.value?.home ?? "");
  return (
    <MenuItem title={`${recent.folder}\nCtrl+click: in a new tab`} run={choose}>
      <bdi>{recent.name}</bdi>
      <span class="menu-detail">{recent.gone ? "gone" : folder}</span>
    </MenuItem>
  );
}

async function forgetGone(app: App, recent: RecentProject): Promise<void> {
  const text = `There is no project in ${recent.folder} any more.`;
  const choices = [{ label: "Remove from list", value: true, look: "primary" as const }];
  if (await app.dialogs.ask("The project is gone", text, choices)) await app.project.forget(recent.folder);
}
