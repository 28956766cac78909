import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SocketHandlers, StreamTransport } from "../src/net/events";
import type { ClientInit, SessionRecord } from "../src/net/protocol";
import { type Rpc, RpcError } from "../src/net/rpc";
import type { ServerApi } from "../src/net/server_api";
import { SessionLink } from "../src/net/session_link";

/** Server and session in one: what each question is answered with is set by the test. */
class FakeServer {
  clientId: string | undefined;
  process = 1;
  record: SessionRecord | RpcError = { id: "s", state: "running" };
  refusal: RpcError | null = null;
  resumed: unknown[] = [];
  socket: SocketHandlers | null = null;
  known = true;

  async call(method: string): Promise<unknown> {
    if (this.refusal !== null) throw this.refusal;
    if (method === "client_init") return { clientId: `c${this.process}`, stream: `p${this.process}`, eventId: 0 };
    if (!this.known) throw new RpcError(4, "unknown client");
    return [];
  }

  async hold(): Promise<void> {}

  async state(): Promise<SessionRecord> {
    if (this.record instanceof RpcError) throw this.record;
    return this.record;
  }

  async resume(choices: unknown): Promise<void> {
    this.resumed.push(choices);
  }

  transport(): StreamTransport {
    return {
      openSocket: (_, handlers) => {
        this.socket = handlers;
        if (this.refusal === null) queueMicrotask(() => handlers.opened());
        else queueMicrotask(() => this.drop());
        return { close: () => this.drop() };
      },
      poll: () => new Promise(() => undefined),
    };
  }

  drop(): void {
    const { socket } = this;
    this.socket = null;
    socket?.closed();
  }

  die(record: SessionRecord): void {
    this.record = record;
    this.refusal = new RpcError(21, "ended", record);
    this.drop();
  }

  revive(): void {
    this.process += 1;
    this.refusal = null;
    this.record = { id: "s", state: "running" };
  }
}

let server: FakeServer;
let link: SessionLink;
let joins: [string, boolean][];
let resumes: number;

beforeEach(async () => {
  vi.useFakeTimers();
  server = new FakeServer();
  joins = [];
  resumes = 0;
  const owner = {
    joined: (init: ClientInit, anew: boolean) => void joins.push([init.stream, anew]),
    events: () => undefined,
    gap: () => undefined,
    gone: () => undefined,
    resumed: () => {
      resumes += 1;
    },
  };
  link = new SessionLink(server as unknown as Rpc, server as unknown as ServerApi, server.transport(), owner);
  void link.run();
  await vi.advanceTimersByTimeAsync(1);
});

afterEach(() => {
  vi.useRealTimers();
});

const kind = (): string => link.link.value.kind;

describe("SessionLink", () => {
  it("joins and listens", () => {
    expect([kind(), joins, server.clientId]).toEqual(["live", [["p1", false]], "c1"]);
  });

  it("resumes after a loss without joining again", async () => {
    server.drop();
    await vi.advanceTimersByTimeAsync(1);
    expect(kind()).toBe("reconnecting");
    await vi.advanceTimersByTimeAsync(200);
    expect([kind(), joins.length, resumes]).toEqual(["live", 1, 1]);
  });

  it("waits for a server that is away", async () => {
    server.record = new RpcError(200, "lost");
    server.refusal = new RpcError(200, "lost");
    server.drop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(kind()).toBe("reconnecting");
    server.record = { id: "s", state: "running" };
    server.refusal = null;
    await vi.advanceTimersByTimeAsync(2500);
    expect([kind(), joins.length]).toEqual(["live", 1]);
  });

  it("waits for a server that is still looking for its sessions", async () => {
    server.record = { id: "s", state: "launching" };
    server.drop();
    await vi.advanceTimersByTimeAsync(500);
    expect(kind()).toBe("reconnecting");
    server.record = { id: "s", state: "running" };
    await vi.advanceTimersByTimeAsync(1000);
    expect([kind(), joins.length]).toEqual(["live", 1]);
  });

  it("says at once that the session ended, and joins the new one when the user wants it", async () => {
    server.die({ id: "s", state: "failed", cause: "killed", signal: 9 });
    await vi.advanceTimersByTimeAsync(50);
    expect(link.link.value).toMatchObject({ kind: "ended", session: { cause: "killed", signal: 9 } });
    await vi.advanceTimersByTimeAsync(10_000);
    expect([kind(), server.resumed]).toEqual(["ended", []]);
    const restarting = link.restart({ run_rprofile: false, restore: true });
    server.revive();
    await restarting;
    await vi.advanceTimersByTimeAsync(1000);
    expect(server.resumed).toEqual([{ run_rprofile: false, restore: true }]);
    expect([kind(), joins.at(-1)]).toEqual(["live", ["p2", true]]);
  });

  it("tells of a suspended session and follows when it comes back", async () => {
    server.record = { id: "s", state: "suspending" };
    server.drop();
    await vi.advanceTimersByTimeAsync(500);
    expect(kind()).toBe("reconnecting");
    server.die({ id: "s", state: "suspended", code: 101 });
    await vi.advanceTimersByTimeAsync(5000);
    expect(link.link.value).toMatchObject({ kind: "ended", session: { state: "suspended" } });
    server.revive();
    await vi.advanceTimersByTimeAsync(3000);
    expect([kind(), joins.at(-1)]).toEqual(["live", ["p2", true]]);
  });

  it("joins a session that another tab started again", async () => {
    server.die({ id: "s", state: "absent", code: 0 });
    await vi.advanceTimersByTimeAsync(50);
    server.revive();
    await vi.advanceTimersByTimeAsync(3000);
    expect([kind(), joins.at(-1)]).toEqual(["live", ["p2", true]]);
  });

  it("shows why the new session could not be started", async () => {
    server.die({ id: "s", state: "failed", cause: "killed" });
    await vi.advanceTimersByTimeAsync(50);
    server.die({ id: "s", state: "failed", cause: "no R" });
    await link.restart({ run_rprofile: true, restore: true });
    await vi.advanceTimersByTimeAsync(1000);
    expect(link.link.value).toMatchObject({ kind: "ended", session: { cause: "no R" } });
  });

  it("joins anew when the process behind the address is another one", async () => {
    server.known = false;
    server.process = 2;
    server.drop();
    await vi.advanceTimersByTimeAsync(1000);
    expect(joins).toEqual([
      ["p1", false],
      ["p2", true],
    ]);
  });

  it("goes on after signing in again", async () => {
    server.record = new RpcError(3, "signed out");
    server.refusal = new RpcError(3, "signed out");
    link.recheck();
    await vi.advanceTimersByTimeAsync(5000);
    expect(kind()).toBe("signed-out");
    server.refusal = null;
    server.record = { id: "s", state: "running" };
    await vi.advanceTimersByTimeAsync(2500);
    expect([kind(), joins.length]).toEqual(["live", 1]);
  });

  it("takes a connection that ends with its own leaving for no loss", async () => {
    await link.leave(async () => server.drop());
    await vi.advanceTimersByTimeAsync(5000);
    expect(kind()).toBe("live");
  });

  it("looks after its connection again when leaving failed", async () => {
    const failing = link.leave(async () => {
      server.drop();
      throw new Error("no answer");
    });
    await expect(failing).rejects.toThrow("no answer");
    await vi.advanceTimersByTimeAsync(1000);
    expect([kind(), resumes]).toEqual(["live", 1]);
  });

  it("drops a connection that is silent and dead", async () => {
    await vi.advanceTimersByTimeAsync(30_000);
    await link.checkSilence(() => Promise.reject(new Error("no answer")));
    await vi.advanceTimersByTimeAsync(1);
    expect(kind()).toBe("reconnecting");
  });

  it("leaves one alone that is silent and alive", async () => {
    await vi.advanceTimersByTimeAsync(30_000);
    await link.checkSilence(() => Promise.resolve());
    expect(kind()).toBe("live");
  });
});
