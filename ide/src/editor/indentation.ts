import { indentUnit } from "@codemirror/language";
import { EditorState, type Extension } from "@codemirror/state";
import type { OpenProject } from "../net/protocol";

/** How far and with what a text is indented: as the project says, two blanks without one. */
export function indentation(project: OpenProject | null): Extension {
  const width = project?.editor.tab_width ?? 2;
  const unit = project?.editor.spaces_for_tab === false ? "\t" : " ".repeat(width);
  return [indentUnit.of(unit), EditorState.tabSize.of(project === null ? 4 : width)];
}
