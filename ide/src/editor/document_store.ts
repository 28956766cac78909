import type { ChangeSet, Text } from "@codemirror/state";
import { batch, computed, signal } from "@preact/signals";
import type { DocumentData, SessionEvent, SharedDocument } from "../net/protocol";
import { ErrorCode } from "../net/protocol";
import { isConnectionError, type Rpc, RpcError } from "../net/rpc";
import { isClean, notDelivered } from "./document_sync";
import { DocumentUploader } from "./document_uploader";
import { OpenDocument } from "./open_document";

/** All open documents of the session, the active one, and their way to and from the session. */
export class DocumentStore {
  readonly documents = signal<readonly OpenDocument[]>([]);
  readonly activeKey = signal<string | null>(null);
  readonly active = computed(
    () => this.documents.value.find((document) => document.key === this.activeKey.value) ?? null,
  );
  private wantsFocus: OpenDocument | null = null;
  private readonly uploaders = new Map<OpenDocument, DocumentUploader>();

  constructor(
    private readonly rpc: Rpc,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** True while something typed here is not known to be in the session's safe keeping. */
  get hasUnconfirmed(): boolean {
    return this.documents.value.some((document) => !isClean(document.sync));
  }

  activate(key: string): void {
    this.activeKey.value = key;
  }

  /** Shows the document of this id when there is one. */
  activateById(id: string | null): void {
    const document = id === null ? undefined : this.byId(id);
    if (document !== undefined) this.activate(document.key);
  }

  /** Shows a document and puts the cursor into it, as soon as its editor exists. */
  enter(document: OpenDocument): void {
    this.wantsFocus = document;
    this.activate(document.key);
    document.view?.focus();
  }

  /** True once for the document that was entered last. */
  takeFocus(document: OpenDocument): boolean {
    const wanted = this.wantsFocus === document;
    if (wanted) this.wantsFocus = null;
    return wanted;
  }

  edited(document: OpenDocument, changes: ChangeSet, text: Text): void {
    document.edited(changes, text);
    this.uploader(document).schedule();
  }

  /** Sends everything unsent; `keepalive` lets it outlive the page. */
  async flushAll(keepalive = false): Promise<void> {
    await Promise.all(this.documents.value.map((document) => this.uploader(document).flush(keepalive)));
  }

  async flush(document: OpenDocument): Promise<void> {
    await this.uploader(document).flush();
  }

  /**
   * Takes over the documents of a session that the page just (re)joined. Tabs that are open stay, with their text: by
   * id, else by path, else as a new document of the session.
   */
  async adopt(theirs: readonly DocumentData[]): Promise<void> {
    const before = this.documents.value;
    const left = new Map(theirs.map((data) => [data.id, data]));
    for (const document of before) document.sync = notDelivered(document.sync);
    for (const document of before) {
      const match = left.get(document.id) ?? theirs.find((data) => sameFile(data, document) && left.has(data.id));
      if (match === undefined) continue;
      left.delete(match.id);
      this.attach(document, match);
    }
    const matched = new Set(theirs.map((data) => data.id));
    const orphans = before.filter((document) => !matched.has(document.id));
    for (const data of [...left.values()].sort((a, b) => a.order - b.order)) this.add(data);
    for (const document of orphans) await this.reopen(document);
    await this.flushAll();
  }

  async create(type: string, contents: string): Promise<void> {
    this.enter(this.add(await this.rpc.call("new_document", [type, contents])));
  }

  async open(path: string): Promise<void> {
    this.enter(this.add(await this.rpc.call("open_document", [path])));
  }

  /** Shows a file, opened if need be; the cursor stays where it was. Fails with RpcError. */
  async reveal(path: string): Promise<OpenDocument> {
    const known = this.documents.peek().find((document) => document.meta.peek().path === path);
    const document = known ?? this.add(await this.rpc.call("open_document", [path]));
    this.activate(document.key);
    return document;
  }

  /** Saves under `path`, or where it came from; throws RpcError 1002 and 1003 for the caller to ask the user. */
  async save(document: OpenDocument, path: string | null, overwrite = false): Promise<void> {
    await this.flush(document);
    const isElsewhere = path !== null && path !== document.meta.value.path;
    if (!isElsewhere && document.view !== null && (await document.view.saveShared())) return;
    if (!isClean(document.sync))
      throw new RpcError(ErrorCode.connectionLost, "The text has not reached the session yet; try again.");
    const data = await this.rpc.call("save_document", [document.id, path, overwrite]);
    document.rebase(data);
  }

  async close(document: OpenDocument): Promise<void> {
    await this.flush(document);
    await this.rpc.call("close_document", [document.id]);
    this.remove(document.id);
  }

  receive(event: SessionEvent): void {
    if (event.type === "document_opened") this.add(event.data.document);
    else if (event.type === "document_closed") this.remove(event.data.id);
    else if (event.type === "collab_edit_started") this.shared(event.data);
    else if (event.type === "collab_edit_ended") this.unshared(event.data.id);
    else if (event.type === "document_changed") void this.changedElsewhere(event.data);
  }

  /** Which documents of the session are edited together with others. */
  sharedNow(all: readonly SharedDocument[]): void {
    const ids = new Set(all.map((each) => each.id));
    for (const document of this.documents.value) if (!ids.has(document.id)) this.rest(document);
    for (const each of all) this.shared(each);
  }

  /** The session may not have met the others yet: it is told which text the page has, that they share it again. */
  private rest(document: OpenDocument): void {
    const { isShared, sharedEpoch } = document;
    document.server.value = null;
    if (isShared) void this.rpc.call("collab_joined", [document.id, sharedEpoch]).catch(() => undefined);
  }

  private shared({ id, server, epoch }: SharedDocument): void {
    const document = this.byId(id);
    if (document === undefined) return;
    if (document.sharedEpoch === "") document.sharedEpoch = epoch;
    document.server.value = server;
  }

  private unshared(id: string): void {
    const document = this.byId(id);
    if (document !== undefined) document.server.value = null;
  }

  /** Makes up for events that were missed. */
  async refresh(): Promise<void> {
    await this.attempt(async () => {
      const theirs = await this.rpc.call("list_documents", []);
      const ids = new Set(theirs.map((data) => data.id));
      for (const document of this.documents.value) if (!ids.has(document.id)) this.remove(document.id);
      for (const { id, revision } of theirs) if (this.byId(id)?.sync.revision !== revision) await this.reread(id);
    });
  }

  private async changedElsewhere(change: { id: string; revision: number; clientId: string }): Promise<void> {
    if (this.byId(change.id) === undefined || change.clientId === this.rpc.clientId) return;
    await this.attempt(() => this.reread(change.id));
  }

  private async reread(id: string): Promise<void> {
    const data = await this.rpc.call("get_document", [id]);
    const document = this.byId(id) ?? this.add(data);
    document.rebase(data);
    if (!isClean(document.sync)) this.uploader(document).schedule();
  }

  private async attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!isConnectionError(error)) this.failed(error);
    }
  }

  private attach(document: OpenDocument, data: DocumentData): void {
    document.id = data.id;
    document.rebase(data);
  }

  /** A tab whose document the new process does not have: the file again, or a new document with our text. */
  private async reopen(document: OpenDocument): Promise<void> {
    const text = document.text.toString();
    const { path, type } = document.meta.value;
    const data =
      path === null
        ? await this.rpc.call("new_document", [type, text])
        : await this.rpc.call("open_document", [path]).catch(() => this.rpc.call("new_document", [type, text]));
    document.id = data.id;
    document.rebase({ ...data, contents: text });
    if (data.contents === text) return;
    const { revision } = await this.rpc.call("set_document", [data.id, text]);
    document.rebase({ ...data, contents: text, revision, dirty: true });
  }

  private add(data: DocumentData): OpenDocument {
    const known = this.byId(data.id);
    if (known !== undefined) return known;
    const document = new OpenDocument(data);
    batch(() => {
      this.documents.value = [...this.documents.value, document];
      this.activeKey.value ??= document.key;
    });
    return document;
  }

  private remove(id: string): void {
    const at = this.documents.value.findIndex((document) => document.id === id);
    const gone = this.documents.value[at];
    if (gone === undefined) return;
    this.uploaders.delete(gone);
    batch(() => {
      const rest = this.documents.value.filter((document) => document !== gone);
      this.documents.value = rest;
      if (this.activeKey.value === gone.key) this.activeKey.value = rest[Math.min(at, rest.length - 1)]?.key ?? null;
    });
  }

  private byId(id: string): OpenDocument | undefined {
    return this.documents.value.find((document) => document.id === id);
  }

  private uploader(document: OpenDocument): DocumentUploader {
    let uploader = this.uploaders.get(document);
    if (uploader === undefined) {
      uploader = new DocumentUploader(document, this.rpc, this.failed);
      this.uploaders.set(document, uploader);
    }
    return uploader;
  }
}

function sameFile(data: DocumentData, document: OpenDocument): boolean {
  return data.path !== null && data.path === document.meta.value.path;
}
