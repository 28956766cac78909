import type { JSX } from "preact";
import type { App } from "../app";
import { ConsolePane } from "../console/console_pane";
import { EditorPane } from "../editor/editor_pane";
import { EnvironmentPane } from "../environment/environment_pane";
import { PlotsPane } from "../plots/plots_pane";
import { layout } from "./layout_store";
import { Splitter } from "./splitter";

/** The four panes and the handles between them. */
export function Workbench({ app }: { readonly app: App }): JSX.Element {
  const { columns, left, right } = layout.value;
  return (
    <main class="workbench" style={shares("columns", columns)}>
      <div class="column" style={shares("rows", left)}>
        <EditorPane app={app} />
        <Splitter divider="left" label="Height of the editor" horizontal={false} />
        <ConsolePane app={app} />
      </div>
      <Splitter divider="columns" label="Width of editor and console" horizontal={true} />
      <div class="column" style={shares("rows", right)}>
        <EnvironmentPane app={app} />
        <Splitter divider="right" label="Height of the environment" horizontal={false} />
        <PlotsPane app={app} />
      </div>
    </main>
  );
}

function shares(kind: "columns" | "rows", share: number): Record<string, string> {
  const tracks = `minmax(0, ${share}fr) var(--gutter) minmax(0, ${1 - share}fr)`;
  return kind === "columns" ? { gridTemplateColumns: tracks } : { gridTemplateRows: tracks };
}
