import {
  acceptCompletion,
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  completionStatus,
  pickedCompletion,
  startCompletion,
} from "@codemirror/autocomplete";
import type { Extension } from "@codemirror/state";
import type { Command, EditorView } from "@codemirror/view";
import type { Completions } from "../net/protocol";
import type { Rpc } from "../net/rpc";

const PATIENCE_MS = 3000;

const ICON: Readonly<Record<string, string>> = {
  argument: "property",
  column: "property",
  file: "text",
  package: "namespace",
};

/** R's own completions for the text before the cursor, in a list below it. */
export class RCompletion {
  private ready: { readonly line: string; readonly answer: Completions } | null = null;

  constructor(private readonly rpc: Rpc) {}

  extension(): Extension {
    return autocompletion({
      override: [(context) => this.source(context)],
      activateOnTyping: false,
      defaultKeymap: true,
      icons: false,
    });
  }

  /** For Tab: takes the entry chosen, completes the only possibility, or shows the list. */
  readonly complete: Command = (view) => {
    if (completionStatus(view.state) === "active") return acceptCompletion(view);
    void this.begin(view);
    return true;
  };

  private async begin(view: EditorView): Promise<void> {
    const { state } = view;
    const line = state.doc.lineAt(state.selection.main.head);
    const answer = await this.ask(line.text, state.selection.main.head - line.from);
    if (answer === null || answer.items.length === 0 || view.state !== state) return;
    const [only, second] = answer.items;
    if (only !== undefined && second === undefined) {
      const from = line.from + answer.start;
      view.dispatch({
        changes: { from, to: state.selection.main.head, insert: only.text },
        selection: { anchor: from + only.text.length },
        userEvent: "input.complete",
        annotations: pickedCompletion.of({ label: only.text }),
      });
      return;
    }
    this.ready = { line: line.text, answer };
    startCompletion(view);
  }

  private async source(context: CompletionContext): Promise<CompletionResult | null> {
    const line = context.state.doc.lineAt(context.pos);
    const ready = this.ready?.line === line.text ? this.ready.answer : null;
    this.ready = null;
    const answer = ready ?? (await this.ask(line.text, context.pos - line.from));
    if (answer === null || answer.items.length === 0) return null;
    return {
      from: line.from + answer.start,
      options: answer.items.map((item, index) => ({
        label: item.text,
        type: ICON[item.kind] ?? item.kind,
        boost: -Math.min(99, index),
        ...(item.detail ? { detail: item.detail } : {}),
      })),
      validFor: /^[\p{L}\p{N}._]*$/u,
    };
  }

  /** While R is busy it cannot answer; no list is better than one that comes when nobody waits for it. */
  private async ask(line: string, cursor: number): Promise<Completions | null> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    return this.rpc.call("get_completions", [line, cursor], { signal }).catch(() => null);
  }
}
