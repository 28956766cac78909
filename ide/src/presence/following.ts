import type { App } from "../app";
import { joinPath } from "../shell/file_paths";
import type { Spot } from "./presence_store";

const EDITING_KEYS = new Set(["Enter", "Backspace", "Delete", "Tab"]);
const EDITABLE = "input, textarea, select, [contenteditable=true]";

/** Shows a file of the project and puts the cursor into the line. */
export async function goTo(app: App, { file, line }: Spot): Promise<void> {
  const folder = app.project.open.peek()?.folder;
  if (folder === undefined) return;
  const document = await app.documents.reveal(joinPath(folder, file));
  if (line === 0) return;
  if (document.view !== null) return document.view.showLine(line);
  // The editor that is made next begins there.
  const { text } = document;
  const { from } = text.line(Math.min(line, text.lines));
  app.places.note(document.id, { anchor: from, head: from, top: Math.max(1, line - 5) });
}

/** Ends following when its user types, or presses Escape. */
export function watchTyping(app: App, target: EventTarget): void {
  const typed = (event: Event): void => {
    if (app.presence.followed.peek() === null || !isEditable(event.target)) return;
    if (event.type === "paste" || isTyping(event as KeyboardEvent)) app.presence.stop();
  };
  const escaped = (event: Event): void => {
    if ((event as KeyboardEvent).key !== "Escape" || app.presence.followed.peek() === null) return;
    app.presence.stop();
    // In the console it would stop R as well.
    event.preventDefault();
    event.stopPropagation();
  };
  target.addEventListener("keydown", escaped, { capture: true });
  target.addEventListener("keydown", typed, { capture: true });
  target.addEventListener("paste", typed, { capture: true });
}

function isTyping({ key, ctrlKey, metaKey }: KeyboardEvent): boolean {
  return EDITING_KEYS.has(key) || ([...key].length === 1 && !ctrlKey && !metaKey);
}

function isEditable(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(EDITABLE) !== null;
}
