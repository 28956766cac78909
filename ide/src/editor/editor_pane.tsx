import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { App } from "../app";
import { COMMANDS } from "../commands";
import { colourOf } from "../presence/face_look";
import { CommandButton } from "../shell/command_button";
import { Icon } from "../shell/icon";
import { closeDocument } from "./document_commands";
import type { OpenDocument } from "./open_document";
import { SourceEditor } from "./source_editor";

/** The source editor: a tab per document, the tools above, the text below. */
export function EditorPane({ app }: { readonly app: App }): JSX.Element {
  const { documents, active } = app.documents;
  return (
    <section class="pane editor-pane" aria-label="Source editor">
      <header class="pane-header tabs-header">
        <Tabs app={app} />
        <EditorTools app={app} />
      </header>
      <Together document={active.value} />
      <div class="editors" data-testid="editor">
        {documents.value.map((document) => (
          <DocumentEditor key={document.key} app={app} document={document} shown={document === active.value} />
        ))}
        {documents.value.length === 0 && app.session.value !== null ? <NoDocument app={app} /> : null}
      </div>
    </section>
  );
}

/** Who else is in the text, and who types. */
function Together({ document }: { readonly document: OpenDocument | null }): JSX.Element | null {
  if (document === null || document.server.value === null) return null;
  const people = document.people.value;
  const typing = people.filter((person) => person.typing).map((person) => person.name);
  const isAway = document.linkState.value === "connecting";
  if (!isAway && people.length === 0) return null;
  return (
    <div class="together" role="status" data-testid="together">
      {isAway ? <span>No connection to the shared text yet: you edit alone until it is there.</span> : null}
      {document.linkState.value === "polling" ? (
        <span data-testid="polling" title="Something between here and the server lets no WebSocket through.">
          Slower than usual: WebSockets are blocked.
        </span>
      ) : null}
      {people.map(({ name }) => (
        <span key={name} class={`together-person person-colour-${colourOf(name)}`}>
          {name}
        </span>
      ))}
      {typing.length > 0 ? (
        <span data-testid="typing">{`${typing.join(", ")} ${typing.length > 1 ? "are" : "is"} typing…`}</span>
      ) : null}
    </div>
  );
}

function NoDocument({ app }: { readonly app: App }): JSX.Element {
  return (
    <div class="empty empty-editor">
      <p>Write a script here and run it line by line.</p>
      <div class="choices">
        <CommandButton app={app} command="newDocument" icon="plus" testId="empty-new-document" labelled />
        <CommandButton app={app} command="openDocument" icon="folder" testId="empty-open-document" labelled />
      </div>
    </div>
  );
}

function EditorTools({ app }: { readonly app: App }): JSX.Element {
  const none = app.documents.active.value === null;
  const away = app.session.value === null;
  return (
    <div class="toolbar" role="toolbar" aria-label="Source editor">
      <CommandButton app={app} command="newDocument" icon="plus" testId="new-document" disabled={away} />
      <CommandButton app={app} command="openDocument" icon="folder" testId="open-document" disabled={away} />
      <CommandButton app={app} command="saveDocument" icon="save" testId="save-document" disabled={none} />
      <span class="tool-gap" />
      <CommandButton app={app} command="runLine" icon="run" testId="run-line" disabled={none} labelled />
      <CommandButton app={app} command="runAll" icon="runAll" testId="run-all" disabled={none} labelled />
    </div>
  );
}

function Tabs({ app }: { readonly app: App }): JSX.Element {
  const { documents, active } = app.documents;
  const press = (event: KeyboardEvent): void => {
    if (event.key === "Delete" && active.value !== null) void closeDocument(app, active.value);
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const all = documents.value;
    const next = all[(all.indexOf(active.value as OpenDocument) + step + all.length) % all.length];
    if (next === undefined) return;
    app.documents.activate(next.key);
    (event.currentTarget as HTMLElement).querySelector<HTMLElement>(`#${tabId(next)}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Open documents" tabIndex={-1} onKeyDown={press}>
      {documents.value.map((document) => (
        <Tab key={document.key} app={app} document={document} chosen={document === active.value} />
      ))}
    </div>
  );
}

interface TabProps {
  readonly app: App;
  readonly document: OpenDocument;
  readonly chosen: boolean;
}

function Tab({ app, document, chosen }: TabProps): JSX.Element {
  const { name, path } = document.meta.value;
  const dirty = document.dirty.value;
  return (
    <div class={`tab ${chosen ? "tab-chosen" : ""}`} role="presentation">
      <button
        type="button"
        role="tab"
        id={tabId(document)}
        class="tab-label"
        data-testid="editor-tab"
        aria-selected={chosen}
        aria-controls={panelId(document)}
        tabIndex={chosen ? 0 : -1}
        title={path ?? `${name} (not saved to a file yet)`}
        onClick={() => {
          app.documents.enter(document);
        }}
        onAuxClick={(event) => event.button === 1 && closeDocument(app, document)}
      >
        {name}
        {dirty ? (
          <span
            class="dirty"
            role="img"
            aria-label="unsaved changes"
            title="Not saved to the file; kept in the session"
          >
            •
          </span>
        ) : null}
      </button>
      <button
        type="button"
        class="tab-close"
        tabIndex={-1}
        aria-hidden="true"
        title={`Close ${name} (${COMMANDS.closeDocument.keys}, or Delete on the tab)`}
        onClick={() => closeDocument(app, document)}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}

function tabId(document: OpenDocument): string {
  return `tab-${document.key}`;
}

function panelId(document: OpenDocument): string {
  return `panel-${document.key}`;
}

interface EditorProps {
  readonly app: App;
  readonly document: OpenDocument;
  readonly shown: boolean;
}

/** The editor is made when its tab is shown for the first time, and kept then with its undo history and place. */
function DocumentEditor({ app, document, shown }: EditorProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const editor = useRef<SourceEditor | null>(null);
  useLayoutEffect(() => {
    if (!shown || box.current === null) return;
    editor.current ??= new SourceEditor(app, document, box.current);
    editor.current.view.requestMeasure();
    if (app.documents.takeFocus(document)) editor.current.focus();
  }, [shown]);
  useEffect(() => () => editor.current?.destroy(), []);
  return (
    <div
      class="editor-box"
      id={panelId(document)}
      role="tabpanel"
      aria-labelledby={tabId(document)}
      hidden={!shown}
      ref={box}
    />
  );
}
