import type { JSX } from "preact";
import type { App } from "../app";
import { CommandItem } from "../shell/command_item";

/** Opens the dialog about the people of the open project; named by what can be done there. */
export function ShareItem({ app }: { readonly app: App }): JSX.Element | null {
  const state = app.sharing.state.value;
  if (state === null || app.project.open.value === null) return null;
  const isOthers = state.supported && !state.mine;
  return <CommandItem app={app} command="shareProject" label={isOthers ? "People in this project…" : undefined} />;
}
