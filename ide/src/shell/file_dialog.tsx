import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { App } from "../app";
import { formatSize } from "../environment/environment_model";
import type { FileEntry, FileListing } from "../net/protocol";
import { messageOf } from "../net/rpc";
import { Modal } from "./dialog_host";
import type { FileChoice } from "./dialogs";
import { joinPath, resolveEntry, shownEntries } from "./file_paths";
import { Icon } from "./icon";

interface Props {
  readonly app: App;
  readonly choice: FileChoice;
}

/** The folder shown, and the way to show another one. */
export function useFolder(app: App, first: string) {
  const listing = useSignal<FileListing | null>(null);
  const problem = useSignal("");
  const show = async (path: string): Promise<void> => {
    try {
      listing.value = await app.rpc.call("list_files", [path]);
      problem.value = "";
    } catch (error) {
      problem.value = messageOf(error);
    }
  };
  useEffect(() => void show(first), []);
  return { listing, problem, show };
}

/** Choose a file of the session's machine: type a path, or go through the folders. */
export function FileDialog({ app, choice }: Props): JSX.Element {
  const { listing, problem, show } = useFolder(app, choice.folder);
  const name = useSignal(choice.name);
  const saving = choice.type === "save-file";

  const take = (entry: FileEntry, folder: string): void => {
    if (entry.kind === "dir") void show(joinPath(folder, entry.name));
    else if (saving) name.value = entry.name;
    else choice.answer(joinPath(folder, entry.name));
  };
  const confirm = (typed: string): void => {
    const folder = listing.value?.path ?? choice.folder;
    const entry = listing.value?.entries.find((known) => known.name === typed);
    if (entry?.kind === "dir") {
      name.value = "";
      void show(joinPath(folder, entry.name));
    } else if (typed !== "") choice.answer(resolveEntry(folder, typed));
  };
  return (
    <Modal title={saving ? "Save as" : "Open a file"} leave={() => choice.answer(null)} class="file-dialog">
      <FolderLine listing={listing.value} show={show} />
      {problem.value === "" ? null : (
        <p class="card-problem" role="alert">
          {problem.value}
        </p>
      )}
      <Entries listing={listing.value} take={take} />
      <NameForm name={name} saving={saving} confirm={confirm} leave={() => choice.answer(null)} />
    </Modal>
  );
}

interface FormProps {
  readonly name: Signal<string>;
  readonly saving: boolean;
  readonly confirm: (typed: string) => void;
  readonly leave: () => void;
}

function NameForm({ name, saving, confirm, leave }: FormProps): JSX.Element {
  const typed = name.value.trim();
  const submit = (event: Event): void => {
    event.preventDefault();
    confirm(typed);
  };
  return (
    <form class="file-form" onSubmit={submit}>
      <label>
        <span>{saving ? "Name" : "File"}</span>
        <input
          class="field"
          type="text"
          data-testid="file-name"
          spellcheck={false}
          value={name.value}
          placeholder={saving ? "" : "Name or full path"}
          onInput={(event) => {
            name.value = event.currentTarget.value;
          }}
        />
      </label>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={leave}>
          Cancel
        </button>
        <button type="submit" class="button button-primary" data-testid="file-confirm" disabled={typed === ""}>
          {saving ? "Save" : "Open"}
        </button>
      </div>
    </form>
  );
}

interface FolderProps {
  readonly listing: FileListing | null;
  readonly show: (path: string) => Promise<void>;
}

export function FolderLine({ listing, show }: FolderProps): JSX.Element {
  const parent = listing?.parent ?? null;
  return (
    <div class="folder-line">
      <button
        type="button"
        class="button button-icon"
        aria-label="Parent folder"
        title="Parent folder"
        disabled={parent === null}
        onClick={() => parent !== null && show(parent)}
      >
        <Icon name="up" />
      </button>
      <span class="path" title={listing?.path ?? ""}>
        {listing?.path ?? "…"}
      </span>
    </div>
  );
}

interface EntriesProps {
  readonly listing: FileListing | null;
  readonly take: (entry: FileEntry, folder: string) => void;
}

export function Entries({ listing, take }: EntriesProps): JSX.Element {
  const entries = shownEntries(listing?.entries ?? []);
  const press = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    const buttons = [...(event.currentTarget as HTMLElement).querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    buttons[Math.max(0, Math.min(buttons.length - 1, at + step))]?.focus();
    event.preventDefault();
  };
  return (
    <ul class="files" aria-label="Files" onKeyDown={press}>
      {entries.map((entry) => (
        <li key={entry.name}>
          <button type="button" class="file" onClick={() => listing !== null && take(entry, listing.path)}>
            <Icon name={entry.kind === "dir" ? "folder" : "file"} />
            <span class="file-name">{entry.name}</span>
            <span class="file-size">{entry.kind === "file" ? formatSize(entry.size) : ""}</span>
          </button>
        </li>
      ))}
      {listing !== null && entries.length === 0 ? <li class="empty">This folder is empty</li> : null}
      {listing?.truncated ? <li class="empty">Not all entries are shown; type the name below</li> : null}
    </ul>
  );
}
