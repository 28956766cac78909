import * as decoding from "lib0/decoding";
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from "y-protocols/awareness";
import { readSyncMessage, writeSyncStep1, writeUpdate } from "y-protocols/sync";
import * as Y from "yjs";
import { awarenessMessage, type Control, Kind, message, readControl } from "./collab_messages";

/** What a shared text tells and needs. */
export interface TextOwner {
  /** Hand a message to filebase, if there is a connection. */
  send(data: Uint8Array<ArrayBuffer>): void;
  /** The text of another epoch begins: it is empty until `synced`. */
  renewed(): void;
  /** What filebase has is here. */
  synced(): void;
  control(message: Control): void;
}

const SYNC_MISSING = 1;
const HIGH = /[\ud800-\udbff]/;
const LOW = /[\udc00-\udfff]/;
const CLOCK_BASE = 1000;
/** Those who stayed have heard, one above our last, that we were gone. */
const CLOCK_STEP = 2;

/** One Yjs document with the cursors of all, and its side of the protocol. Knows no socket. */
export class SharedText {
  doc = new Y.Doc();
  awareness = new Awareness(this.doc);
  epoch = "";
  user = "";
  isSynced = false;

  constructor(private readonly owner: TextOwner) {
    this.wire();
  }

  get text(): Y.Text {
    return this.doc.getText("text");
  }

  /** A new connection: nothing is known of the others. */
  connected(): void {
    const others = [...this.awareness.getStates().keys()].filter((client) => client !== this.doc.clientID);
    removeAwarenessStates(this.awareness, others, this);
  }

  /** Makes it this text, by the smallest edit there is. */
  become(text: string): void {
    const now = this.text.toString();
    const least = Math.min(now.length, text.length);
    let start = 0;
    while (start < least && now[start] === text[start]) start += 1;
    // Half a character cannot be replaced.
    if (HIGH.test(now[start - 1] ?? "")) start -= 1;
    let end = 0;
    while (end < least - start && now[now.length - 1 - end] === text[text.length - 1 - end]) end += 1;
    if (LOW.test(now[now.length - end] ?? "")) end -= 1;
    this.doc.transact(() => {
      this.text.delete(start, now.length - start - end);
      this.text.insert(start, text.slice(start, text.length - end));
    });
  }

  /** A message of filebase. */
  receive(data: Uint8Array): void {
    const decoder = decoding.createDecoder(data);
    const kind = decoding.readVarUint(decoder);
    if (kind === Kind.control) this.heard(readControl(decoder));
    else if (kind === Kind.awareness) applyAwarenessUpdate(this.awareness, decoding.readVarUint8Array(decoder), this);
    else if (kind === Kind.sync) this.sync(decoder);
  }

  destroy(): void {
    this.awareness.destroy();
    this.doc.destroy();
  }

  private heard(control: Control): void {
    if (control.event !== "hello") {
      this.owner.control(control);
      return;
    }
    if (this.epoch !== "" && this.epoch !== control.epoch) this.renew();
    this.epoch = control.epoch;
    this.user = control.user;
    this.announce();
    if (control.ready) this.owner.send(message(Kind.sync, (encoder) => writeSyncStep1(encoder, this.doc)));
    this.owner.control(control);
  }

  /** Says who is here, which is told at once; the clock goes forward so that a state from before a break is replaced. */
  private announce(): void {
    const state = this.awareness.getLocalState() ?? {};
    const meta = this.awareness.meta.get(this.doc.clientID);
    if (meta !== undefined) meta.clock += CLOCK_STEP;
    this.awareness.setLocalState({ cursor: null, typing: false, ...state, user: { name: this.user } });
  }

  private sync(decoder: decoding.Decoder): void {
    const answer = message(Kind.sync, (encoder) => {
      const step = readSyncMessage(decoder, encoder, this.doc, this);
      if (step === SYNC_MISSING) this.isSynced = true;
    });
    if (answer.length > 1) this.owner.send(answer);
    if (this.isSynced) this.owner.synced();
  }

  private renew(): void {
    this.destroy();
    this.doc = new Y.Doc();
    this.awareness = new Awareness(this.doc);
    this.isSynced = false;
    this.wire();
    this.owner.renewed();
  }

  private wire(): void {
    // Later than anything a page before had said under this number.
    this.awareness.meta.set(this.doc.clientID, { clock: CLOCK_BASE, lastUpdated: Date.now() });
    this.doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin !== this) this.owner.send(message(Kind.sync, (encoder) => writeUpdate(encoder, update)));
    });
    this.awareness.on(
      "update",
      (change: { added: number[]; updated: number[]; removed: number[] }, origin: unknown) => {
        const own = [...change.added, ...change.updated, ...change.removed].includes(this.doc.clientID);
        if (origin === "local" && own && this.user !== "")
          this.owner.send(awarenessMessage(encodeAwarenessUpdate(this.awareness, [this.doc.clientID])));
      },
    );
  }
}
