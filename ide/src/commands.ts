import type { App } from "./app";
import {
  closeDocument,
  newDocument,
  openDocument,
  runAll,
  saveDocument,
  sourceDocument,
} from "./editor/document_commands";
import { quitSession, restartR, takeBack } from "./session/ending_commands";

/** Something the user can do from anywhere, by button or key. */
export interface Command {
  readonly label: string;
  /** Keys as `Ctrl+Shift+S`; Command counts as Ctrl on a Mac. */
  readonly keys?: string;
  run(app: App): void | Promise<void>;
}

function withActive(action: (app: App, document: NonNullable<App["documents"]["active"]["value"]>) => unknown) {
  return async (app: App): Promise<void> => {
    const document = app.documents.active.value;
    if (document !== null) await action(app, document);
  };
}

/** All commands of the page by name; a palette and other key sets need only this table. */
export const COMMANDS = {
  newDocument: { label: "New script", keys: "Ctrl+Alt+N", run: newDocument },
  openDocument: { label: "Open…", keys: "Ctrl+O", run: openDocument },
  saveDocument: { label: "Save", keys: "Ctrl+S", run: withActive((app, document) => saveDocument(app, document)) },
  saveDocumentAs: {
    label: "Save as…",
    keys: "Ctrl+Alt+S",
    run: withActive((app, document) => saveDocument(app, document, true)),
  },
  closeDocument: { label: "Close", keys: "Ctrl+Alt+W", run: withActive(closeDocument) },
  runLine: { label: "Run", keys: "Ctrl+Enter", run: withActive((_, document) => document.view?.runLine()) },
  runAll: { label: "Run all", keys: "Ctrl+Shift+Enter", run: withActive(runAll) },
  sourceDocument: { label: "Source", keys: "Ctrl+Shift+S", run: withActive(sourceDocument) },
  focusEditor: { label: "Go to editor", keys: "Ctrl+1", run: (app) => app.documents.active.value?.view?.focus() },
  focusConsole: {
    label: "Go to console",
    keys: "Ctrl+2",
    run: () => document.querySelector<HTMLElement>("#console-input .cm-content")?.focus(),
  },
  newSession: { label: "New session…", run: (app) => app.dialogs.newSession("new-session") },
  openProject: { label: "Open project…", run: (app) => app.dialogs.newSession("open-project") },
  newProject: { label: "New project…", run: (app) => app.dialogs.newSession("new-project") },
  restartR: { label: "Restart R", keys: "Ctrl+Shift+F10", run: (app) => restartR(app) },
  restartEmpty: { label: "Restart R without objects…", run: (app) => restartR(app, false) },
  takeBack: { label: "Take back objects set aside…", run: takeBack },
  quitSession: { label: "Quit session…", run: quitSession },
  projectOptions: {
    label: "Project options…",
    run: (app) => {
      if (app.project.open.value !== null) app.dialogs.projectOptions();
    },
  },
  shareProject: {
    label: "Share project…",
    run: (app) => {
      if (app.project.open.value !== null) app.dialogs.share();
    },
  },
  interrupt: { label: "Stop", run: (app) => app.interrupt() },
} satisfies Record<string, Command>;

export type CommandName = keyof typeof COMMANDS;

const BY_KEYS = new Map<string, Command>(
  Object.values(COMMANDS).flatMap((command: Command) => (command.keys === undefined ? [] : [[command.keys, command]])),
);

/** The keys of an event in the notation of the table. */
export function keysOf(event: KeyboardEvent): string {
  const names = [
    event.ctrlKey || event.metaKey ? "Ctrl" : "",
    event.altKey ? "Alt" : "",
    event.shiftKey ? "Shift" : "",
    event.key.length === 1 ? event.key.toUpperCase() : event.key,
  ];
  return names.filter(Boolean).join("+");
}

/** Runs the command that belongs to the keys pressed; false when there is none, or an editor took the keys. */
export function runKeys(app: App, event: KeyboardEvent): boolean {
  if (event.defaultPrevented) return false;
  const command = BY_KEYS.get(keysOf(event));
  if (command === undefined) return false;
  event.preventDefault();
  void Promise.resolve(command.run(app)).catch((error: unknown) => app.report(error));
  return true;
}

/** Label with its keys, for tooltips. */
export function hint(name: CommandName): string {
  const command: Command = COMMANDS[name];
  return command.keys === undefined ? command.label : `${command.label} (${command.keys})`;
}
