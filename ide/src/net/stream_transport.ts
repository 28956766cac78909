import type { StreamTransport } from "./events";
import type { SessionEvent } from "./protocol";
import type { Rpc } from "./rpc";

// Some proxies neither pass nor refuse a WebSocket.
const CONNECT_TIMEOUT_MS = 5000;

/** The address of the event socket, relative to the page so that any prefix before it is kept. */
export function socketAddress(page: string, clientId: string, after: number): string {
  const url = new URL("events", page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = new URLSearchParams({ clientId, after: String(after) }).toString();
  return url.href;
}

/** The browser's WebSocket and the RPC twin behind the interface the stream wants. */
export function browserTransport(rpc: Rpc, page: string): StreamTransport {
  return {
    openSocket(after, handlers) {
      const socket = new WebSocket(socketAddress(page, rpc.clientId ?? "", after));
      const patience = setTimeout(() => socket.close(), CONNECT_TIMEOUT_MS);
      socket.onopen = () => {
        clearTimeout(patience);
        handlers.opened();
      };
      socket.onmessage = (message) => handlers.received(JSON.parse(String(message.data)) as SessionEvent[]);
      socket.onclose = () => {
        clearTimeout(patience);
        handlers.closed();
      };
      return { close: () => socket.close() };
    },
    poll: (after, signal) => rpc.call("get_events", [after], { signal }),
  };
}
