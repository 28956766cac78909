import { history, historyKeymap } from "@codemirror/commands";
import { Compartment, EditorState, type Extension, type Transaction } from "@codemirror/state";
import { type EditorView, keymap } from "@codemirror/view";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import * as Y from "yjs";
import type { App } from "../app";
import { difference, textOf } from "../editor/document_sync";
import type { OpenDocument } from "../editor/open_document";
import { RpcError } from "../net/rpc";
import { CollabLink, type LinkState, type LinkUser } from "./collab_link";
import { colleagues, remoteCursors } from "./remote_cursors";

const MOST_BYTES = 5 << 20;
/** Characters that come in one go, so many that it is worth counting. */
const LARGE = 50_000;

/** Binds the editor of one document to its shared text, as long as there is one. */
export class EditorSharing implements LinkUser {
  private readonly part = new Compartment();
  private link: CollabLink | null = null;
  /** Its text may go on: of a session that was started again, or of others who come back. */
  private resting: CollabLink | null = null;
  private undo: Y.UndoManager | null = null;

  constructor(
    private readonly app: App,
    private readonly document: OpenDocument,
    private readonly view: () => EditorView,
  ) {}

  /** What belongs into the editor's state. */
  extension(): Extension {
    return this.part.of(plain());
  }

  /** The session says who keeps the shared text; null: nobody else has the file open. */
  follow(server: string | null): void {
    if (server === null) this.rest();
    else if (this.link !== null) this.link.moveTo(server);
    else if (this.resting === null) this.link = new CollabLink(server, location.href, this);
    else this.wake(this.resting, server);
  }

  retryNow(): void {
    this.link?.retryNow();
  }

  stop(): void {
    this.rest();
    this.resting?.close();
    this.resting = null;
  }

  private rest(): void {
    const { link } = this;
    if (link === null) return;
    link.rest();
    this.link = null;
    this.unbind();
    if (link.shared.isSynced) this.resting = link;
    else link.close();
  }

  /** What was typed since is an edit of this user. */
  private wake(link: CollabLink, server: string): void {
    this.resting = null;
    this.link = link;
    link.shared.become(this.view().state.doc.toString());
    this.attach(link);
    link.moveTo(server);
  }

  /** Saves through the host; null when the text is not shared now. */
  async save(): Promise<boolean> {
    if (this.link === null || !this.document.isShared) return false;
    const error = await this.link.save();
    if (error !== null) throw new RpcError(error.code, error.message);
    await this.refresh();
    return true;
  }

  // LinkUser

  ready(): void {
    const { link } = this;
    if (link === null) return;
    void this.bind(link).catch((error: unknown) => this.app.report(error));
  }

  fileChanged(): void {
    void this.refresh().catch((error: unknown) => this.app.report(error));
  }

  hostLost(server: string): void {
    void this.app.rpc.call("collab_host_lost", [this.document.id, server]).catch(() => undefined);
  }

  expelled(reason: string): void {
    this.link = null;
    this.document.server.value = null;
    this.unbind();
    const why = (reason || "You may not change this file any more").replace(/[^.]$/, "$&.");
    const text = `${this.document.meta.value.name}: ${why} Your text stays in this tab.`;
    this.app.messages.show("warning", text);
  }

  connection(state: LinkState): void {
    this.document.linkState.value = state;
  }

  private async bind(link: CollabLink): Promise<void> {
    const { shared } = link;
    const { epoch } = shared;
    await this.keepOwn(link, shared.text.toString());
    if (this.link !== link || epoch !== shared.epoch) return;
    this.attach(link);
    await this.app.rpc.call("collab_joined", [this.document.id, epoch]);
  }

  private attach(link: CollabLink): void {
    const { shared } = link;
    const view = this.view();
    this.document.isShared = true;
    this.document.sharedEpoch = shared.epoch;
    const change = difference(view.state.doc, textOf(shared.text.toString()));
    if (change !== null) view.dispatch({ changes: change });
    this.undo?.destroy();
    this.undo = new Y.UndoManager(shared.text, { captureTimeout: 500 });
    const extension = [
      keymap.of(yUndoManagerKeymap),
      yCollab(shared.text, null, { undoManager: this.undo }),
      remoteCursors(shared),
      EditorState.changeFilter.of((change) => this.hasRoom(change)),
    ];
    view.dispatch({ effects: this.part.reconfigure(extension) });
    shared.awareness.on("change", () => this.showPeople(link));
    this.showPeople(link);
  }

  /** What was typed here into another text than this one is kept in a tab of its own. */
  private async keepOwn(link: CollabLink, theirs: string): Promise<void> {
    const { document } = this;
    const own = this.view().state.doc.toString();
    const isVersion = document.sharedEpoch === link.shared.epoch;
    if (isVersion || own === theirs || !document.dirty.value) return;
    const { name, type } = document.meta.value;
    const wasActive = this.app.documents.activeKey.value;
    await this.app.documents.create(type, own);
    if (wasActive !== null) this.app.documents.activate(wasActive);
    const text = `${name} is edited together with others, whose text is newer. What you had typed is kept in a tab of its own.`;
    this.app.messages.show("info", text);
  }

  private unbind(): void {
    const { document } = this;
    document.isShared = false;
    document.sharedEpoch = "";
    document.people.value = [];
    this.undo?.destroy();
    this.undo = null;
    this.view().dispatch({ effects: this.part.reconfigure(plain()) });
  }

  /** What the others could not take does not get into the text at all. */
  private hasRoom(change: Transaction): boolean {
    const grown = change.newDoc.length - change.startState.doc.length;
    if (!change.isUserEvent("input") || grown < LARGE) return true;
    if (new TextEncoder().encode(change.newDoc.toString()).length <= MOST_BYTES) return true;
    const text = "A text that several edit may have at most 5 MiB: this was not inserted.";
    this.app.messages.show("warning", text);
    return false;
  }

  private showPeople(link: CollabLink): void {
    if (this.link !== link) return;
    const seen = new Map<string, boolean>();
    for (const { name, typing } of colleagues(link.shared)) seen.set(name, typing || seen.get(name) === true);
    this.document.people.value = [...seen].map(([name, typing]) => ({ name, typing }));
  }

  private async refresh(): Promise<void> {
    await this.app.documents.flush(this.document);
    this.document.rebase(await this.app.rpc.call("refresh_document", [this.document.id]));
  }
}

function plain(): Extension {
  return [history(), keymap.of(historyKeymap)];
}
