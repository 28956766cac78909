import type { ChangeSet, ChangeSpec, Text } from "@codemirror/state";
import { type Signal, signal } from "@preact/signals";
import type { DocumentData } from "../net/protocol";
import { currentText, edited, rebased, type SyncState, shadowed, synced } from "./document_sync";

/** What the tab and the header show of a document. */
export interface DocumentMeta {
  readonly path: string | null;
  readonly name: string;
  readonly type: string;
}

/** Somebody else who is in the same text. */
export interface Person {
  readonly name: string;
  readonly typing: boolean;
}

/** Shows a document; told of changes that come from elsewhere. */
export interface DocumentView {
  applyRemote(changes: ChangeSet): void;
  /** Changes the text as its user would. */
  edit(changes: readonly ChangeSpec[]): void;
  focus(): void;
  /** Puts the cursor at the beginning of a line (from 1 on) and brings it into sight. */
  showLine(line: number): void;
  /** Saves through the session that keeps the shared text; false when the text is not shared. */
  saveShared(): Promise<boolean>;
  /** Runs the statement or selection at the cursor. */
  runLine(): void;
}

/** A document in a tab. Its id changes when a new session process takes it over under another one. */
export class OpenDocument {
  readonly meta: Signal<DocumentMeta>;
  readonly dirty: Signal<boolean>;
  /** Stable key of the tab. */
  readonly key: string;
  id: string;
  sync: SyncState;
  view: DocumentView | null = null;
  /** Which session keeps the text that several edit together; null: it is edited here alone. */
  readonly server = signal<string | null>(null);
  /** The others who are in it. */
  readonly people = signal<readonly Person[]>([]);
  readonly linkState = signal<"connecting" | "open" | "polling">("connecting");
  /** The editor shows the shared text: what the session has follows that, never the other way round. */
  isShared = false;
  /** The shared text of which this is a version; empty: of none. */
  sharedEpoch = "";
  private saved: Text | null;

  constructor(data: DocumentData) {
    this.id = data.id;
    this.key = data.id;
    this.meta = signal(metaOf(data));
    this.sync = synced(data.revision, data.contents);
    this.dirty = signal(data.dirty);
    this.saved = data.dirty ? null : this.sync.confirmed;
  }

  get text(): Text {
    return currentText(this.sync);
  }

  /** The user typed; `text` is the result. */
  edited(changes: ChangeSet, text: Text): void {
    this.sync = edited(this.sync, changes);
    this.dirty.value = this.saved === null || !this.saved.eq(text);
  }

  /** The session's version comes in under edits made here that it has not seen. */
  rebase(data: DocumentData): void {
    if (this.isShared) {
      this.sync = shadowed(this.sync, data.revision, data.contents);
      this.describeShared(data);
      return;
    }
    const { state, changes } = rebased(this.sync, data.revision, data.contents);
    this.sync = state;
    if (changes !== null) this.view?.applyRemote(changes);
    this.describe(data);
  }

  private describeShared(data: DocumentData): void {
    this.meta.value = metaOf(data);
    const { confirmed } = this.sync;
    // The file may be gone that had this text.
    if (data.dirty) this.saved = this.saved?.eq(confirmed) ? null : this.saved;
    else this.saved = confirmed;
    this.dirty.value = this.saved === null || !this.saved.eq(this.text);
  }

  /** Name, path and dirt as the session has them. */
  describe(data: DocumentData): void {
    this.meta.value = metaOf(data);
    this.saved = data.dirty ? this.saved : this.sync.confirmed;
    const text = this.text;
    this.dirty.value = data.dirty ? this.saved === null || !this.saved.eq(text) : !text.eq(this.sync.confirmed);
  }
}

/** What a file with this text would be called. */
export function fileName(document: OpenDocument): string {
  const { path, name, type } = document.meta.value;
  return path === null && type === "r" && !/\.\w+$/.test(name) ? `${name}.R` : name;
}

function metaOf(data: DocumentData): DocumentMeta {
  return { path: data.path, name: data.name, type: data.type };
}
