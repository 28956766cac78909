import { retryDelay } from "../net/backoff";
import { type Control, controlMessage } from "./collab_messages";
import { SharedText, type TextOwner } from "./shared_text";

const CONNECT_TIMEOUT_MS = 5000;
const SAVE_PATIENCE_MS = 30_000;
const NO_ACCESS = 4403;

/** What somebody who shows a shared text wants to hear. */
export interface LinkUser {
  /** The text is here: the first time, or another one than before. */
  ready(): void;
  /** The file was written, or changed by another program. */
  fileChanged(): void;
  /** The host cannot be reached, though the server can. */
  hostLost(server: string): void;
  /** This user may not change the file any more. */
  expelled(reason: string): void;
  connection(state: LinkState): void;
}

export type LinkState = "connecting" | "open";

/** The connection to the host of one document; it moves from host to host, the text stays. */
export class CollabLink implements TextOwner {
  readonly shared = new SharedText(this);
  private socket: WebSocket | null = null;
  private attempts = 0;
  private retry: ReturnType<typeof setTimeout> | null = null;
  private isClosed = false;
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

  /** Another session keeps the text now. */
  moveTo(server: string): void {
    if (server === this.server) return;
    this.server = server;
    this.attempts = 0;
    this.reconnect();
  }

  /** There may be a way again. */
  retryNow(): void {
    if (this.socket === null) this.reconnect();
  }

  close(): void {
    this.isClosed = true;
    if (this.retry !== null) clearTimeout(this.retry);
    this.dropSocket();
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
      if (this.socket?.readyState === WebSocket.OPEN) this.send(controlMessage({ ask: "save", number }));
      else this.answered(number, lost);
    });
  }

  // TextOwner

  send(data: Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(data);
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
    this.dropSocket();
    this.connect();
  }

  private connect(): void {
    if (this.isClosed) return;
    const socket = new WebSocket(this.address("ws"));
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    const patience = setTimeout(() => socket.close(), CONNECT_TIMEOUT_MS);
    socket.onopen = () => {
      clearTimeout(patience);
      this.attempts = 0;
      this.shared.connected();
      this.user.connection("open");
    };
    socket.onmessage = (event) => {
      if (this.socket === socket) this.received(event.data as ArrayBuffer);
    };
    socket.onclose = (event) => {
      clearTimeout(patience);
      if (this.socket === socket) this.lost(event);
    };
  }

  private received(data: ArrayBuffer): void {
    try {
      this.shared.receive(new Uint8Array(data));
    } catch {
      // What cannot be read is of a host that is not ours: begin anew.
      this.socket?.close();
    }
  }

  private lost(event: CloseEvent): void {
    this.socket = null;
    this.user.connection("connecting");
    if (event.code === NO_ACCESS) {
      this.close();
      this.user.expelled(event.reason);
      return;
    }
    this.attempts += 1;
    if (this.attempts > 1) void this.probe();
    this.retry = setTimeout(() => this.connect(), retryDelay(this.attempts, Math.random()));
  }

  /** Is it the host that is gone, or the way to the server? */
  private async probe(): Promise<void> {
    const server = this.server;
    const answer = await fetch(this.address("http"), { cache: "no-store" }).catch(() => null);
    if (answer === null || answer.ok || this.isClosed || server !== this.server) return;
    if (answer.status === 403 || answer.status === 401) return;
    this.user.hostLost(server);
  }

  private dropSocket(): void {
    const socket = this.socket;
    this.socket = null;
    if (socket !== null) {
      socket.onclose = socket.onmessage = socket.onopen = null;
      socket.close();
    }
  }

  private address(scheme: "ws" | "http"): string {
    const url = new URL(`collab/${this.server}`, this.page);
    if (scheme === "ws") url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.search = "";
    return url.href;
  }
}
