import { retryDelay } from "../net/backoff";
import { type Control, controlMessage } from "./collab_messages";
import { PollWire } from "./poll_wire";
import { SharedText, type TextOwner } from "./shared_text";
import { LOST, SocketWire, type Wire, type WireUser } from "./wire";

/** Some proxies neither pass nor refuse a WebSocket. */
const SOCKET_PATIENCE_MS = 1500;
const POLL_PATIENCE_MS = 10_000;
const SAVE_PATIENCE_MS = 30_000;
/** No right to the file; not allowed; too large: trying again would not help. */
const REFUSED: ReadonlySet<number> = new Set([4403, 1008, 1009]);
/** After that a WebSocket is tried again, at the next connection. */
const BLOCKED_MS = 60_000;

/** What somebody who shows a shared text wants to hear. */
export interface LinkUser {
  /** The text is here: the first time, or another one than before. */
  ready(): void;
  /** The file was written, or changed by another program. */
  fileChanged(): void;
  /** The host cannot be reached, though the server can. */
  hostLost(server: string): void;
  /** This page is not taken back, as the reason says: the user may not change the file any more, or sent too much. */
  expelled(reason: string): void;
  connection(state: LinkState): void;
}

/** "polling": connected, without WebSockets, which something on the way lets not through. */
export type LinkState = "connecting" | "open" | "polling";

/** Until when no WebSocket is tried: what is in the way is in the way of all texts of this page. */
let blockedUntil = 0;

/** The connection to the host of one document; it moves from host to host, the text stays. */
export class CollabLink implements TextOwner {
  readonly shared = new SharedText(this);
  private wire: Wire | null = null;
  /** Filebase has greeted. */
  private isOpen = false;
  private attempts = 0;
  private retry: ReturnType<typeof setTimeout> | null = null;
  private isClosed = false;
  private isResting = false;
  private isRenewed = true;
  private readonly saves = new Map<number, (error: { code: number; message: string } | null) => void>();
  private lastSave = 0;

  constructor(
    private server: string,
    private readonly page: string,
    private readonly user: LinkUser,
  ) {
    this.connect();
  }

  /** Another session keeps the text now, or one does again. */
  moveTo(server: string): void {
    if (server === this.server && !this.isResting) return;
    this.isResting = false;
    this.server = server;
    this.attempts = 0;
    this.reconnect();
  }

  /** There may be a way again. */
  retryNow(): void {
    if (this.wire !== null || this.retry === null) return;
    clearTimeout(this.retry);
    this.retry = null;
    void this.find();
  }

  /** Nobody keeps the text now; what it was is kept until `moveTo`. */
  rest(): void {
    this.isResting = true;
    if (this.retry !== null) clearTimeout(this.retry);
    this.retry = null;
    this.drop();
    this.shared.connected();
  }

  close(): void {
    this.rest();
    this.isClosed = true;
    this.shared.destroy();
  }

  /** Has the host write the file; resolves with what stood against it. */
  save(): Promise<{ code: number; message: string } | null> {
    this.lastSave += 1;
    const number = this.lastSave;
    return new Promise((resolve) => {
      const lost = {
        code: 200,
        message: "The session that keeps the shared text does not answer. Nothing is lost; try again.",
      };
      const timer = setTimeout(() => this.answered(number, lost), SAVE_PATIENCE_MS);
      this.saves.set(number, (error) => {
        clearTimeout(timer);
        resolve(error);
      });
      if (this.isOpen) this.send(controlMessage({ ask: "save", number }));
      else this.answered(number, lost);
    });
  }

  // TextOwner

  send(data: Uint8Array<ArrayBuffer>): void {
    if (this.isOpen) this.wire?.send(data);
  }

  renewed(): void {
    this.isRenewed = true;
  }

  synced(): void {
    if (!this.isRenewed) return;
    this.isRenewed = false;
    this.user.ready();
  }

  control(message: Control): void {
    if (message.event === "answer") this.answered(message.number, message.error ?? null);
    else if (message.event !== "hello") this.user.fileChanged();
  }

  private answered(number: number, error: { code: number; message: string } | null): void {
    this.saves.get(number)?.(error);
    this.saves.delete(number);
  }

  private reconnect(): void {
    if (this.retry !== null) clearTimeout(this.retry);
    this.retry = null;
    this.drop();
    this.connect();
  }

  private connect(): void {
    if (this.isClosed) return;
    const isPolling = Date.now() < blockedUntil;
    const end = (code: number, reason: string): void => {
      clearTimeout(patience);
      if (this.wire !== wire) return;
      this.drop();
      if (!isPolling && !REFUSED.has(code) && !wasGreeted) void this.find(true);
      else this.lost(code, reason);
    };
    let wasGreeted = false;
    const user: WireUser = {
      received: (data) => {
        if (this.wire !== wire) return;
        if (!wasGreeted) {
          wasGreeted = true;
          clearTimeout(patience);
          this.opened(isPolling);
        }
        this.received(data);
      },
      closed: end,
    };
    const wire = isPolling ? new PollWire(this.address, user) : new SocketWire(this.address, user);
    const patience = setTimeout(() => end(LOST, ""), isPolling ? POLL_PATIENCE_MS : SOCKET_PATIENCE_MS);
    this.wire = wire;
  }

  private opened(isPolling: boolean): void {
    this.isOpen = true;
    this.attempts = 0;
    this.shared.connected();
    this.user.connection(isPolling ? "polling" : "open");
  }

  private received(data: Uint8Array): void {
    try {
      this.shared.receive(data);
    } catch {
      // What cannot be read is of a host that is not ours: begin anew.
      this.drop();
      this.lost(LOST, "");
    }
  }

  private lost(code: number, reason: string): void {
    this.user.connection("connecting");
    if (REFUSED.has(code)) {
      this.close();
      this.user.expelled(reason);
      return;
    }
    this.attempts += 1;
    const delay = retryDelay(this.attempts, Math.random());
    this.retry = setTimeout(() => {
      this.retry = null;
      void this.find();
    }, delay);
  }

  /** Looks where the text is before it connects: a question costs nothing where the host is gone. */
  private async find(isBlocked = false): Promise<void> {
    const { server } = this;
    const hosting = await this.isHosting();
    if (this.isClosed || this.isResting || server !== this.server || this.wire !== null) return;
    if (hosting === true) {
      if (isBlocked) blockedUntil = Date.now() + BLOCKED_MS;
      this.connect();
      return;
    }
    if (hosting === false) this.user.hostLost(server);
    this.lost(LOST, "");
  }

  /** Null: the server cannot be asked. */
  private async isHosting(): Promise<boolean | null> {
    const options = { method: "GET", cache: "no-store", headers: { "X-RStudio-Refresh-Auth-Creds": "0" } } as const;
    try {
      const answer = await fetch(this.address, options);
      return answer.ok ? ((await answer.json()) as { hosting?: unknown }).hosting === true : null;
    } catch {
      return null;
    }
  }

  private drop(): void {
    const { wire } = this;
    this.wire = null;
    this.isOpen = false;
    wire?.close();
  }

  private get address(): string {
    const url = new URL(`collab/${this.server}`, this.page);
    url.search = "";
    url.hash = "";
    return url.href;
  }
}
