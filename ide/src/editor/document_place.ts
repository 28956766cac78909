import type { Extension, Text, TransactionSpec } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import type { Place } from "../net/protocol";

/** Tells the place in the document whenever cursor or scroll position change. */
export function watchPlace(tell: (place: Place) => void): Extension {
  const told = (view: EditorView): void => {
    // A hidden editor is not scrolled: it has no height.
    if (view.dom.offsetParent !== null) tell(placeOf(view));
  };
  return [
    EditorView.updateListener.of((update) => {
      if (update.selectionSet) told(update.view);
    }),
    EditorView.domEventHandlers({
      scroll: (_, view) => {
        told(view);
        return false;
      },
    }),
  ];
}

/** Goes to a place noted before, as far as the text still reaches. */
export function placeIn(text: Text, place: Place): TransactionSpec {
  const within = (offset: number): number => Math.min(offset, text.length);
  const top = text.line(Math.min(Math.max(place.top, 1), text.lines)).from;
  return {
    selection: { anchor: within(place.anchor), head: within(place.head) },
    effects: EditorView.scrollIntoView(top, { y: "start", yMargin: 0 }),
  };
}

function placeOf(view: EditorView): Place {
  const { anchor, head } = view.state.selection.main;
  const { scrollTop } = view.scrollDOM;
  const block = view.lineBlockAtHeight(scrollTop - view.documentPadding.top);
  return { anchor, head, top: view.state.doc.lineAt(block.from).number };
}
