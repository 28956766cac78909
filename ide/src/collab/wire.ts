/** The way to filebase: messages arrive in order, each once, or the wire closes. */
export interface Wire {
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export interface WireUser {
  received(data: Uint8Array): void;
  /** It is over; `code` is that of a WebSocket. Not called after `close`. */
  closed(code: number, reason: string): void;
}

/** The way broke, or filebase ended without a word. */
export const LOST = 1006;

export class SocketWire implements Wire {
  private readonly socket: WebSocket;

  constructor(address: string, user: WireUser) {
    const url = new URL(address);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(url.href);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => user.received(new Uint8Array(data as ArrayBuffer));
    this.socket.onclose = ({ code, reason }) => user.closed(code, reason);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(data);
  }

  close(): void {
    this.socket.onclose = this.socket.onmessage = null;
    this.socket.close();
  }
}
