import type { EditorState, Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

/**
 * Typing `}` in an empty line above the `}` that was put there with its `{` goes past that one instead of adding a
 * surplus one.
 */
export const typeOverBrace: Extension = EditorView.inputHandler.of((view, from, to, text) => {
  if (text !== "}" || from !== to) return false;
  const brace = bracePosition(view.state, from);
  if (brace === null) return false;
  const line = view.state.doc.lineAt(from);
  view.dispatch({
    changes: { from: line.from, to: line.to + 1 },
    selection: { anchor: brace - (line.length + 1) + 1 },
    userEvent: "input.type",
  });
  return true;
});

/** Where the closing brace of the next line is, if this line is empty and every brace of the text has its partner. */
function bracePosition(state: EditorState, at: number): number | null {
  const line = state.doc.lineAt(at);
  if (line.text.trim() !== "" || line.number === state.doc.lines) return null;
  const next = state.doc.line(line.number + 1);
  const offset = next.text.search(/\S/);
  if (next.text[offset] !== "}") return null;
  return surplus(state.doc.toString()) === 0 ? next.from + offset : null;
}

function surplus(text: string): number {
  let open = 0;
  for (const brace of text.match(/[{}]/g) ?? []) open += brace === "{" ? 1 : -1;
  return open;
}
