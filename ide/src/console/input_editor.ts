import { closeCompletion, completionStatus } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, insertNewline } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { Annotation, Compartment, EditorState, type Extension, Prec } from "@codemirror/state";
import { type Command, drawSelection, EditorView, type KeyBinding, keymap } from "@codemirror/view";
import { RCompletion } from "../editor/completion";
import { editorLook } from "../editor/editor_theme";
import { highlighting, rLanguage } from "../editor/r_language";
import type { Rpc } from "../net/rpc";

const byHistory = Annotation.define<boolean>();

/** What the keys of the input line do beyond editing. */
export interface InputActions {
  submit(text: string): void;
  /** Goes through the history; null leaves the line as it is. */
  walk(step: -1 | 1, shown: string): string | null;
  searchHistory(): void;
  /** Escape, or Ctrl+C without a selection; true when the line is to be emptied. */
  cancel(): boolean;
  clearOutput(): void;
  /** The user changed the text. */
  typed(): void;
}

/** The line at R's prompt: usually one, several after a paste or Shift+Enter. */
export class InputEditor {
  readonly view: EditorView;
  private readonly label = new Compartment();
  private readonly completion: RCompletion;

  constructor(
    parent: HTMLElement,
    rpc: Rpc,
    nonce: string,
    private readonly actions: InputActions,
  ) {
    this.completion = new RCompletion(rpc);
    this.view = new EditorView({ parent, state: EditorState.create({ extensions: this.extensions(nonce) }) });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  /** Replaces the text, the cursor at its end. */
  show(text: string): void {
    const { length } = this.view.state.doc;
    this.view.dispatch({
      changes: { from: 0, to: length, insert: text },
      selection: { anchor: text.length },
      scrollIntoView: true,
    });
  }

  /** The prompt is part of the field's name, so that it is read aloud. */
  setLabel(label: string): void {
    this.view.dispatch({ effects: this.label.reconfigure(labelled(label)) });
  }

  private extensions(nonce: string): Extension {
    return [
      Prec.highest(keymap.of(this.keys())),
      history(),
      drawSelection(),
      bracketMatching(),
      rLanguage,
      highlighting,
      this.completion.extension(),
      keymap.of([...defaultKeymap, ...historyKeymap]),
      EditorView.lineWrapping,
      this.label.of(labelled("Console input")),
      editorLook(nonce),
      EditorView.updateListener.of((update) => {
        const byUser = update.transactions.some((tr) => tr.docChanged && tr.annotation(byHistory) !== true);
        if (byUser) this.actions.typed();
      }),
    ];
  }

  private keys(): readonly KeyBinding[] {
    return [
      { key: "Enter", run: this.unlessCompleting(() => this.submit()) },
      { key: "Shift-Enter", run: insertNewline },
      { key: "ArrowUp", run: this.unlessCompleting((view) => this.walk(view, -1)) },
      { key: "ArrowDown", run: this.unlessCompleting((view) => this.walk(view, 1)) },
      { key: "Tab", run: this.completion.complete },
      { key: "Ctrl-Space", run: this.completion.complete },
      { key: "Escape", run: (view: EditorView) => closeCompletion(view) || this.cancel() },
      { key: "Ctrl-c", run: (view: EditorView) => !this.hasSelection(view) && this.cancel() },
      { key: "Ctrl-l", run: () => handled(() => this.actions.clearOutput()) },
      { key: "Ctrl-r", run: () => handled(() => this.actions.searchHistory()) },
    ];
  }

  private unlessCompleting(command: Command): Command {
    return (view) => completionStatus(view.state) !== "active" && command(view);
  }

  private hasSelection(view: EditorView): boolean {
    return !view.state.selection.main.empty || document.getSelection()?.isCollapsed === false;
  }

  private submit(): boolean {
    const { text } = this;
    this.show("");
    this.actions.submit(text);
    return true;
  }

  private cancel(): boolean {
    if (this.actions.cancel()) this.show("");
    return true;
  }

  /** Up in the first line and down in the last leave the text for the history. */
  private walk(view: EditorView, step: -1 | 1): boolean {
    const { doc, selection } = view.state;
    const line = doc.lineAt(selection.main.head).number;
    if (line !== (step === -1 ? 1 : doc.lines)) return false;
    const text = this.actions.walk(step, this.text);
    if (text === null) return true;
    view.dispatch({
      changes: { from: 0, to: doc.length, insert: text },
      selection: { anchor: text.length },
      annotations: byHistory.of(true),
    });
    return true;
  }
}

function handled(action: () => void): true {
  action();
  return true;
}

function labelled(label: string): Extension {
  return EditorView.contentAttributes.of({
    "aria-label": label,
    tabindex: "0",
    autocapitalize: "off",
    spellcheck: "false",
  });
}
