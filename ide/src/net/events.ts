import { Pause, retryDelay } from "./backoff";
import { ErrorCode, type SessionEvent } from "./protocol";
import { RpcError } from "./rpc";

/** How the next events come: over the socket, by asking again and again, or not at the moment. */
export type StreamState = "websocket" | "polling" | "waiting";

/**
 * What the owner says after a loss: `retry` (the session is there), `wait` (nobody can be asked at the moment: ask me
 * again), or `stop` (the session ended, or is another process).
 */
export type Verdict = "retry" | "wait" | "stop";

export interface SocketHandlers {
  readonly opened: () => void;
  readonly received: (batch: readonly SessionEvent[]) => void;
  readonly closed: () => void;
}

/** The two ways to the same numbered log. */
export interface StreamTransport {
  openSocket(after: number, handlers: SocketHandlers): { close(): void };
  poll(after: number, signal: AbortSignal): Promise<readonly SessionEvent[]>;
}

export interface StreamOwner {
  /** New events, in order, none twice. */
  events(batch: readonly SessionEvent[]): void;
  /** Events `from`..`to` will never come. */
  gap(from: number, to: number): void;
  state(state: StreamState): void;
  /** Called after every loss of the connection; decides how to go on. */
  lost(): Promise<Verdict>;
}

const SOCKET_FAILURES_BEFORE_POLLING = 3;
const POLLS_BEFORE_SOCKET = 50;

/**
 * The numbered event stream of one session process: resumes by number after any loss, forever, by WebSocket or, where
 * that does not get through, by long poll. `run` ends when the owner says stop or `stop` is called.
 */
export class EventStream {
  private stopped = false;
  private failures = 0;
  private attempt = 0;
  private close: (() => void) | null = null;
  private readonly pause = new Pause();

  constructor(
    private last: number,
    private readonly transport: StreamTransport,
    private readonly owner: StreamOwner,
    private readonly random: () => number = Math.random,
  ) {}

  /** Number of the last event handed on. */
  get position(): number {
    return this.last;
  }

  async run(): Promise<void> {
    while (!this.stopped) {
      if (this.failures < SOCKET_FAILURES_BEFORE_POLLING) await this.listen();
      else await this.pollSome();
      if (this.stopped) return;
      await this.afterLoss();
    }
  }

  stop(): void {
    this.stopped = true;
    this.close?.();
    this.pause.wake();
  }

  /** Try again at once instead of waiting for the back-off. */
  retryNow(): void {
    this.attempt = 0;
    this.pause.wake();
  }

  /** Drop a connection that is suspected dead; the stream resumes with a new one. */
  reconnect(): void {
    this.close?.();
  }

  private async afterLoss(): Promise<void> {
    this.owner.state("waiting");
    let verdict = await this.owner.lost();
    const first = verdict;
    while (verdict === "wait" && !this.stopped) {
      // Sockets that fail while the server is away say nothing about sockets.
      this.failures = 0;
      await this.backOff();
      if (!this.stopped) verdict = await this.owner.lost();
    }
    if (verdict === "stop") this.stopped = true;
    if (!this.stopped && first === "retry") await this.backOff();
  }

  private async backOff(): Promise<void> {
    await this.pause.wait(retryDelay(this.attempt, this.random()));
    this.attempt += 1;
  }

  private listen(): Promise<void> {
    return new Promise((resolve) => {
      let opened = false;
      const socket = this.transport.openSocket(this.last, {
        opened: () => {
          opened = true;
          this.connected("websocket");
        },
        received: (batch) => this.receive(batch),
        closed: () => {
          this.close = null;
          this.failures = opened ? 0 : this.failures + 1;
          resolve();
        },
      });
      this.close = () => socket.close();
    });
  }

  /** Long polls until one fails; after a few good ones the socket gets another chance. */
  private async pollSome(): Promise<void> {
    for (let good = 0; !this.stopped; good += 1) {
      if (good >= POLLS_BEFORE_SOCKET && (await this.socketWorks())) return;
      const abort = new AbortController();
      this.close = () => abort.abort();
      try {
        if (good === 0) this.owner.state("polling");
        const batch = await this.transport.poll(this.last, abort.signal);
        this.attempt = 0;
        this.receive(batch);
      } catch (error) {
        if (error instanceof RpcError && error.code === ErrorCode.unknownClient) this.failures = 0;
        return;
      } finally {
        this.close = null;
      }
    }
  }

  private async socketWorks(): Promise<boolean> {
    const before = this.failures;
    await this.listen();
    if (this.failures === 0) return true;
    this.failures = before;
    return false;
  }

  private connected(state: StreamState): void {
    this.attempt = 0;
    this.owner.state(state);
  }

  private receive(batch: readonly SessionEvent[]): void {
    const fresh: SessionEvent[] = [];
    for (const event of batch) {
      if (event.id <= this.last) continue;
      this.noteGap(event);
      this.last = event.id;
      fresh.push(event);
    }
    if (fresh.length > 0) this.owner.events(fresh);
  }

  private noteGap(event: SessionEvent): void {
    if (event.type !== "events_dropped" && event.id > this.last + 1) this.owner.gap(this.last + 1, event.id - 1);
  }
}
