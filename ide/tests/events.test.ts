import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { retryDelay } from "../src/net/backoff";
import {
  EventStream,
  type SocketHandlers,
  type StreamOwner,
  type StreamTransport,
  type Verdict,
} from "../src/net/events";
import type { SessionEvent } from "../src/net/protocol";
import { RpcError } from "../src/net/rpc";
import { socketAddress } from "../src/net/stream_transport";

function output(id: number): SessionEvent {
  return { id, type: "console_write_output", data: { text: `${id}` } };
}

/** A server whose sockets and polls the test answers by hand. */
class FakeTransport implements StreamTransport {
  sockets: { after: number; handlers: SocketHandlers; open: boolean }[] = [];
  polls: { after: number; resolve: (batch: readonly SessionEvent[]) => void; reject: (error: unknown) => void }[] = [];

  openSocket(after: number, handlers: SocketHandlers): { close(): void } {
    const socket = { after, handlers, open: true };
    this.sockets.push(socket);
    return { close: () => this.drop(socket) };
  }

  poll(after: number): Promise<readonly SessionEvent[]> {
    return new Promise((resolve, reject) => {
      this.polls.push({ after, resolve, reject });
    });
  }

  get newest() {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }

  drop(socket = this.newest): void {
    if (!socket.open) return;
    socket.open = false;
    socket.handlers.closed();
  }
}

class Recorder implements StreamOwner {
  log: unknown[] = [];
  verdicts: Verdict[] = [];

  events(batch: readonly SessionEvent[]): void {
    this.log.push(batch.map((event) => event.id));
  }
  gap(from: number, to: number): void {
    this.log.push(["gap", from, to]);
  }
  state(state: string): void {
    this.log.push(state);
  }
  async lost(): Promise<Verdict> {
    return this.verdicts.shift() ?? "retry";
  }
}

let transport: FakeTransport;
let owner: Recorder;

function started(after = 0): EventStream {
  const stream = new EventStream(after, transport, owner, () => 1);
  void stream.run();
  return stream;
}

beforeEach(() => {
  vi.useFakeTimers();
  transport = new FakeTransport();
  owner = new Recorder();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("EventStream over the socket", () => {
  it("hands on events in order and none twice", () => {
    started(3);
    transport.newest.handlers.opened();
    transport.newest.handlers.received([output(3), output(4), output(5)]);
    transport.newest.handlers.received([output(5), output(6)]);
    expect(owner.log).toEqual(["websocket", [4, 5], [6]]);
  });

  it("resumes after the last event it has, soon after a loss", async () => {
    const stream = started();
    transport.newest.handlers.opened();
    transport.newest.handlers.received([output(1), output(2)]);
    transport.drop();
    await vi.advanceTimersByTimeAsync(100);
    expect(transport.sockets.map((socket) => socket.after)).toEqual([0, 2]);
    expect(stream.position).toBe(2);
    expect(owner.log).toEqual(["websocket", [1, 2], "waiting"]);
  });

  it("tells of events that will never come", () => {
    started();
    transport.newest.handlers.opened();
    transport.newest.handlers.received([output(1), output(5)]);
    expect(owner.log).toEqual(["websocket", ["gap", 2, 4], [1, 5]]);
  });

  it("takes a note about dropped events as what it is", () => {
    started();
    transport.newest.handlers.opened();
    transport.newest.handlers.received([
      { id: 7, type: "events_dropped", data: { from: 1, to: 7, bytes: 100 } },
      output(8),
    ]);
    expect(owner.log).toEqual(["websocket", [7, 8]]);
  });

  it("never gives up, and never waits longer than two seconds", async () => {
    started();
    transport.newest.handlers.opened();
    transport.drop();
    for (let i = 0; i < 40; i += 1) {
      const before = transport.sockets.length + transport.polls.length;
      await vi.advanceTimersByTimeAsync(2001);
      if (transport.newest.open) transport.drop();
      transport.polls.at(-1)?.reject(new RpcError(200, "lost"));
      await vi.advanceTimersByTimeAsync(0);
      expect(transport.sockets.length + transport.polls.length).toBeGreaterThan(before);
    }
  });

  it("asks the owner again, and opens no socket, while nobody can be asked", async () => {
    owner.verdicts = ["wait", "wait", "wait", "retry"];
    started();
    transport.drop();
    await vi.advanceTimersByTimeAsync(299);
    expect(transport.sockets).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(401);
    expect(transport.sockets).toHaveLength(2);
  });

  it("ends when the owner says that the session did", async () => {
    owner.verdicts = ["stop"];
    const stream = new EventStream(0, transport, owner);
    const running = stream.run();
    transport.drop();
    await running;
    expect(transport.sockets).toHaveLength(1);
  });

  it("tries at once when asked to", async () => {
    const stream = started();
    transport.newest.handlers.opened();
    transport.drop();
    await vi.advanceTimersByTimeAsync(0);
    stream.retryNow();
    await vi.advanceTimersByTimeAsync(0);
    expect(transport.sockets).toHaveLength(2);
  });
});

describe("EventStream without sockets", () => {
  async function blocked(): Promise<void> {
    for (let i = 0; i < 3; i += 1) {
      transport.drop();
      await vi.advanceTimersByTimeAsync(2000);
    }
  }

  it("asks instead, one question after the other, from where it was", async () => {
    started(5);
    await blocked();
    transport.polls[0]?.resolve([output(6), output(7)]);
    await vi.advanceTimersByTimeAsync(0);
    expect(transport.polls.map((poll) => poll.after)).toEqual([5, 7]);
    expect(owner.log.slice(-2)).toEqual(["polling", [6, 7]]);
  });

  it("goes back to a socket when one gets through again", async () => {
    started();
    await blocked();
    for (let i = 0; i < 50; i += 1) {
      transport.polls.at(-1)?.resolve([]);
      await vi.advanceTimersByTimeAsync(0);
    }
    transport.newest.handlers.opened();
    transport.newest.handlers.received([output(1)]);
    expect(owner.log.slice(-2)).toEqual(["websocket", [1]]);
  });
});

describe("retryDelay", () => {
  it("doubles up to two seconds, at least half of it", () => {
    expect([0, 1, 2, 3, 4, 5, 100].map((attempt) => retryDelay(attempt, 1))).toEqual([
      100, 200, 400, 800, 1600, 2000, 2000,
    ]);
    expect(retryDelay(100, 0)).toBe(1000);
  });
});

describe("socketAddress", () => {
  it("stays below whatever prefix the page has", () => {
    expect(socketAddress("http://h:1/r/s/abc/", "c d", 4)).toBe("ws://h:1/r/s/abc/events?clientId=c+d&after=4");
    expect(socketAddress("https://h/s/abc/?x=1#y", "c", 0)).toBe("wss://h/s/abc/events?clientId=c&after=0");
  });
});
