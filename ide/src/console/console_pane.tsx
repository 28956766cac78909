import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { App } from "../app";
import { cspNonce } from "../csp_nonce";
import { Icon } from "../shell/icon";
import { FrameTask, follow } from "./follow_tail";
import { historyOf, walk } from "./history_model";
import { HistorySearch } from "./history_search";
import { InputEditor } from "./input_editor";
import { OutputView } from "./output_view";

/** R's console: its output, and the line at its prompt. */
export function ConsolePane({ app }: { readonly app: App }): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const output = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLDivElement>(null);
  const editor = useRef<InputEditor | null>(null);
  const [searching, setSearching] = useState(false);
  const [away, setAway] = useState(false);
  const [word, setWord] = useState("");

  useEffect(() => {
    if (scroller.current === null || output.current === null || input.current === null) return;
    return mount(app, scroller.current, output.current, setAway, setWord, () => {
      editor.current = inputEditor(app, input.current as HTMLDivElement, setWord, () => {
        setSearching(true);
        void app.recallHistory();
      });
      return editor.current;
    });
  }, []);

  const pick = (text: string | null): void => {
    setSearching(false);
    if (text !== null) editor.current?.show(text);
    editor.current?.view.focus();
  };
  const focusInput = (event: MouseEvent): void => {
    const { target } = event;
    const inert = target instanceof HTMLElement && target.closest("a, button, .input-row") === null;
    if (inert && document.getSelection()?.isCollapsed !== false) editor.current?.view.focus();
  };
  return (
    <section class="pane console" aria-label="Console">
      <ConsoleHeader app={app} />
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: a click beside the text goes on in the input, which keys reach by Tab */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: as above */}
      <div class="console-scroll" ref={scroller} onClick={focusInput}>
        <EarlierOutput app={app} />
        <div class="console-output" ref={output} role="log" aria-label="Console output" data-testid="console-output" />
        {word === "" ? null : (
          <p class="input-word" role="status" data-testid="input-word">
            {word}
          </p>
        )}
        <div class="input-row">
          <span class="prompt" aria-hidden="true" data-testid="console-prompt">
            {app.console.prompt.value?.text ?? ""}
          </span>
          <div class="console-input" id="console-input" data-testid="console-input" ref={input} />
        </div>
      </div>
      {away ? (
        <button type="button" class="to-end" onClick={() => scroller.current?.scrollTo(0, 1e9)}>
          Newest output
        </button>
      ) : null}
      {searching ? <HistorySearch history={app.console.history.value} pick={pick} /> : null}
    </section>
  );
}

function ConsoleHeader({ app }: { readonly app: App }): JSX.Element {
  return (
    <header class="pane-header">
      <h2>Console</h2>
      <span class="pane-detail path" title={app.workingDirectory.value}>
        {app.place.value}
      </span>
      <div class="toolbar">
        <button
          type="button"
          class="button button-icon"
          title="Clear the console (Ctrl+L)"
          aria-label="Clear the console"
          onClick={() => app.console.clear()}
        >
          <Icon name="trash" />
        </button>
      </div>
    </header>
  );
}

function EarlierOutput({ app }: { readonly app: App }): JSX.Element | null {
  const { dropped } = app.console.text.value;
  if (dropped === 0) return null;
  return <p class="earlier">{dropped.toLocaleString("en")} earlier lines are not shown</p>;
}

/** Connects the store with the elements; returns the undoing. */
function mount(
  app: App,
  scroller: HTMLElement,
  output: HTMLElement,
  setAway: (away: boolean) => void,
  setWord: (word: string) => void,
  createInput: () => InputEditor,
): () => void {
  const view = new OutputView(output);
  const editor = createInput();
  const tail = follow(scroller, setAway);
  const paint = new FrameTask(() => {
    view.update(app.console.text.peek());
    tail.keep();
  });
  const unwatch = effect(() => {
    void app.console.text.value;
    paint.request();
  });
  const unlabel = effect(() => {
    const prompt = app.console.prompt.value?.text.trim();
    editor.setLabel(prompt ? `Console input, prompt ${prompt}` : "Console input, R is busy");
    paint.request();
  });
  const untake = takingBack(app, editor, setWord);
  editor.view.focus();
  return () => {
    unwatch();
    unlabel();
    untake();
    paint.cancel();
    tail.stop();
    editor.view.destroy();
  };
}

/** What R did not take stands at the prompt again, in its order, before what was typed meanwhile. */
function takingBack(app: App, editor: InputEditor, setWord: (word: string) => void): () => void {
  let before = "";
  return effect(() => {
    const { value } = app.outbox.returned;
    if (value === null) return;
    app.outbox.returned.value = null;
    if (!editor.text.startsWith(before)) before = "";
    const typed = editor.text.slice(before.length).replace(/^\n/, "");
    before = [before, value.text].filter(Boolean).join("\n");
    editor.show([before, typed].filter(Boolean).join("\n"));
    setWord(value.why);
  });
}

function inputEditor(
  app: App,
  parent: HTMLElement,
  setWord: (word: string) => void,
  searchHistory: () => void,
): InputEditor {
  const { console: store } = app;
  const editor: InputEditor = new InputEditor(parent, app.rpc, cspNonce(), {
    submit: (text) => {
      setWord("");
      void app.run(text, "prompt");
    },
    walk: (step, shown) => {
      const found = walk(store.history.peek(), step, shown);
      if (found === null) return null;
      store.history.value = found.history;
      return found.text;
    },
    searchHistory,
    cancel: () => {
      const ordinary = store.prompt.peek()?.history === true && !store.continuing.peek();
      if (store.busy.peek() || !ordinary) void app.interrupt();
      return true;
    },
    clearOutput: () => store.clear(),
    typed: () => {
      store.history.value = historyOf(store.history.peek().entries);
      if (editor.text === "") setWord("");
    },
  });
  return editor;
}
