import type { EditorState } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import type { App } from "../app";
import { isR } from "./languages";
import type { OpenDocument } from "./open_document";
import { nextNonBlank, statementAt } from "./statements";

/** What to run for a cursor or selection, and the line the cursor goes to. */
export interface Piece {
  readonly text: string;
  /** Line number from 1; null leaves the cursor where it is. */
  readonly next: number | null;
}

/** The selection, or the statement (in R) or line (elsewhere) around the cursor; null when only blanks are left. */
export function pieceAt(state: EditorState, r: boolean): Piece | null {
  const { main } = state.selection;
  if (!main.empty) return { text: state.sliceDoc(main.from, main.to).replace(/\n$/, ""), next: null };
  const lines = state.doc.toString().split("\n");
  const line = nextNonBlank(lines, state.doc.lineAt(main.head).number - 1);
  if (line >= lines.length) return null;
  const { first, last } = r ? statementAt(lines, line) : { first: line, last: line };
  const text = lines.slice(first, last + 1).join("\n");
  return { text, next: Math.min(lines.length, nextNonBlank(lines, last + 1) + 1) };
}

/** Gives the piece at the cursor to R and moves on to the next one. */
export function runLine(app: App, document: OpenDocument, view: EditorView): boolean {
  const { name, type } = document.meta.value;
  const piece = pieceAt(view.state, isR(name, type));
  if (piece === null) return true;
  if (piece.next !== null) {
    const line = view.state.doc.line(piece.next);
    view.dispatch({ selection: { anchor: line.from }, scrollIntoView: true });
  }
  void app.run(piece.text);
  return true;
}
