import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, indentLess, indentMore, insertNewlineAndIndent, toggleComment } from "@codemirror/commands";
import { bracketMatching, indentOnInput } from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import {
  Annotation,
  type ChangeSet,
  type ChangeSpec,
  Compartment,
  EditorState,
  type Extension,
  Prec,
} from "@codemirror/state";
import {
  type Command,
  crosshairCursor,
  drawSelection,
  dropCursor,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  rectangularSelection,
} from "@codemirror/view";
import { effect } from "@preact/signals";
import type { App } from "../app";
import { EditorSharing } from "../collab/editor_sharing";
import { cspNonce } from "../csp_nonce";
import { typeOverBrace } from "./close_brace";
import { RCompletion } from "./completion";
import { placeIn, watchPlace } from "./document_place";
import { editorLook } from "./editor_theme";
import { indentation } from "./indentation";
import { isR, languageOf } from "./languages";
import type { DocumentView, OpenDocument } from "./open_document";
import { highlighting } from "./r_language";
import { runLine } from "./run_line";

const SCROLL_MARGIN = 60;
const remote = Annotation.define<boolean>();

/** The editor of one document; it lives as long as its tab. */
export class SourceEditor implements DocumentView {
  readonly view: EditorView;
  private readonly language = new Compartment();
  private readonly indentation = new Compartment();
  private readonly sharing: EditorSharing;
  private readonly unwatch: readonly (() => void)[];

  constructor(
    private readonly app: App,
    private readonly document: OpenDocument,
    parent: HTMLElement,
  ) {
    this.sharing = new EditorSharing(app, document, () => this.view);
    const state = EditorState.create({ doc: document.text, extensions: this.extensions() });
    this.view = new EditorView({ parent, state });
    document.view = this;
    const place = app.places.of(document.id);
    if (place !== null) this.view.dispatch(placeIn(this.view.state.doc, place));
    this.unwatch = [
      effect(() => {
        const { name, type } = document.meta.value;
        void this.setLanguage(name, type);
      }),
      effect(() => {
        const effects = this.indentation.reconfigure(indentation(app.project.open.value));
        this.view.dispatch({ effects });
      }),
      effect(() => this.sharing.follow(document.server.value)),
      effect(() => {
        if (app.link.link.value.kind === "live") this.sharing.retryNow();
      }),
    ];
  }

  focus(): void {
    this.view.focus();
  }

  showLine(line: number): void {
    const { doc, selection } = this.view.state;
    const found = doc.line(Math.min(line, doc.lines));
    const isThere = doc.lineAt(selection.main.head).number === found.number;
    this.view.dispatch({
      ...(isThere ? {} : { selection: { anchor: found.from } }),
      effects: EditorView.scrollIntoView(found.from, { y: "nearest", yMargin: SCROLL_MARGIN }),
    });
  }

  runLine(): void {
    this.view.focus();
    runLine(this.app, this.document, this.view);
  }

  edit(changes: readonly ChangeSpec[]): void {
    this.view.dispatch({ changes });
  }

  applyRemote(changes: ChangeSet): void {
    this.view.dispatch({ changes, annotations: remote.of(true) });
  }

  saveShared(): Promise<boolean> {
    return this.sharing.save();
  }

  destroy(): void {
    this.sharing.stop();
    for (const stop of this.unwatch) stop();
    this.view.destroy();
    this.document.view = null;
  }

  private async setLanguage(name: string, type: string): Promise<void> {
    const language = await languageOf(name, type).catch(() => null);
    this.view.dispatch({ effects: this.language.reconfigure(language ?? []) });
  }

  private extensions(): Extension {
    return [
      // Only \n ends a line: offsets are the session's, byte for byte.
      EditorState.lineSeparator.of("\n"),
      EditorState.allowMultipleSelections.of(true),
      this.indentation.of(indentation(this.app.project.open.peek())),
      this.keys(),
      [lineNumbers(), highlightActiveLineGutter(), highlightSpecialChars(), highlightActiveLine()],
      [this.sharing.extension(), drawSelection(), dropCursor(), rectangularSelection(), crosshairCursor()],
      [
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        typeOverBrace,
        highlightSelectionMatches(),
        search({ top: true }),
      ],
      this.language.of([]),
      highlighting,
      editorLook(cspNonce()),
      EditorView.contentAttributes.of(() => ({
        "aria-label": `Text of ${this.document.meta.peek().name}`,
        tabindex: "0",
      })),
      watchPlace((place) => this.app.places.note(this.document.id, place)),
      EditorView.updateListener.of((update) => {
        const byUser = update.docChanged && !update.transactions.some((tr) => tr.annotation(remote));
        if (byUser) this.app.documents.edited(this.document, update.changes, update.state.doc);
      }),
    ];
  }

  private keys(): Extension {
    const completion = new RCompletion(this.app.rpc);
    const complete: Command = (view) => {
      const { name, type } = this.document.meta.value;
      return isR(name, type) && completion.complete(view);
    };
    const tab: Command = (view) => (wordBefore(view) && complete(view)) || indentMore(view);
    return [
      Prec.highest(
        keymap.of([
          { key: "Mod-Enter", run: (view) => runLine(this.app, this.document, view) },
          // Left to the page's own keys, which come after the editor's.
          { key: "Mod-Shift-Enter", run: () => false },
          { key: "Ctrl-Space", run: complete },
          { key: "Mod-Shift-c", run: toggleComment },
        ]),
      ),
      completion.extension(),
      keymap.of([
        ...closeBracketsKeymap,
        { key: "Tab", run: tab, shift: indentLess },
        { key: "Enter", run: insertNewlineAndIndent },
        ...searchKeymap,
        ...defaultKeymap,
      ]),
    ];
  }
}

/** Tab completes after a word and indents elsewhere. */
function wordBefore(view: EditorView): boolean {
  const { main } = view.state.selection;
  const before = view.state.sliceDoc(Math.max(0, main.head - 1), main.head);
  return main.empty && /[\p{L}\p{N}._$@:]/u.test(before);
}
