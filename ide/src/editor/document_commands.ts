import type { App } from "../app";
import { ErrorCode } from "../net/protocol";
import { RpcError } from "../net/rpc";
import { fileName, type OpenDocument } from "./open_document";
import { tidyChanges } from "./tidy_on_save";

/** Saves, asking for a name where there is none and what to do about a file that changed; false when given up. */
export async function saveDocument(app: App, document: OpenDocument, elsewhere = false): Promise<boolean> {
  const { path } = document.meta.value;
  if (path !== null && !elsewhere) return save(app, document, null, false);
  const folder = path === null ? app.workingDirectory.value || "~" : path.replace(/\/[^/]*$/, "") || "/";
  const chosen = await app.dialogs.chooseFile("save-file", folder, fileName(document));
  return chosen !== null && save(app, document, chosen, false);
}

async function save(app: App, document: OpenDocument, path: string | null, overwrite: boolean): Promise<boolean> {
  tidy(app, document);
  try {
    await app.documents.save(document, path, overwrite);
    return true;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return saveRefused(app, document, path, error);
  }
}

/** Sets right what the project wants to be right in every file. */
function tidy(app: App, document: OpenDocument): void {
  const rules = app.project.open.value?.editor;
  const changes = rules === undefined ? [] : tidyChanges(document.text, rules);
  if (changes.length > 0) document.view?.edit(changes);
}

async function saveRefused(app: App, document: OpenDocument, path: string | null, error: RpcError): Promise<boolean> {
  const { name } = document.meta.value;
  if (error.code === ErrorCode.changedOnDisk) {
    const title = `“${path ?? name}” changed on disk`;
    const text = "The file is not what it was when it was opened here. Your text is kept in this tab either way.";
    const choice = await app.dialogs.ask(title, text, [
      { label: "Overwrite the file", value: "overwrite", look: "danger" },
      { label: "Save under another name…", value: "elsewhere", look: "primary" },
    ] as const);
    if (choice === "overwrite") return save(app, document, path, true);
    return choice === "elsewhere" && saveDocument(app, document, true);
  }
  if (error.code === ErrorCode.cannotWrite) {
    const text = `${error.message}\n\nYour text is kept here and in the session, unsaved.`;
    const choice = await app.dialogs.ask(`“${path ?? name}” could not be written`, text, [
      { label: "Save under another name…", value: "elsewhere", look: "primary" },
    ] as const);
    return choice === "elsewhere" && saveDocument(app, document, true);
  }
  app.report(error);
  return false;
}

/** Closes a tab; unsaved text is asked about. */
export async function closeDocument(app: App, document: OpenDocument): Promise<void> {
  if (document.dirty.value && document.text.length > 0) {
    const title = `Save “${document.meta.value.name}” before closing?`;
    const choice = await app.dialogs.ask(title, "It has changes that are not in its file.", [
      { label: "Close without saving", value: "drop", look: "danger" },
      { label: "Save", value: "save", look: "primary" },
    ] as const);
    if (choice === null || (choice === "save" && !(await saveDocument(app, document)))) return;
  }
  await app.documents.close(document).catch((error: unknown) => app.report(error));
}

export async function openDocument(app: App): Promise<void> {
  const path = await app.dialogs.chooseFile("open-file", app.workingDirectory.value || "~");
  if (path !== null) await app.documents.open(path).catch((error: unknown) => app.report(error));
}

export async function newDocument(app: App): Promise<void> {
  await app.documents.create("r", "").catch((error: unknown) => app.report(error));
}

/** Runs every line of the document. */
export async function runAll(app: App, document: OpenDocument): Promise<void> {
  const text = document.text.toString().replace(/\n+$/, "");
  if (text.trim() !== "") await app.run(text);
}

/** Saves a script that has a file and sources that; runs the lines of one that has none. */
export async function sourceDocument(app: App, document: OpenDocument): Promise<void> {
  if (document.meta.value.path === null) return runAll(app, document);
  if (document.dirty.value && !(await saveDocument(app, document))) return;
  await app.run(`source(${quoted(document.meta.value.path)}, echo = TRUE)`);
}

function quoted(path: string): string {
  return `"${path.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
}
