import { effect, signal } from "@preact/signals";
import { Pause, retryDelay } from "./backoff";
import { EventStream, type StreamState, type StreamTransport, type Verdict } from "./events";
import { type ClientInit, ErrorCode, type SessionEvent, type SessionRecord } from "./protocol";
import { messageOf, type Rpc, RpcError } from "./rpc";
import type { ResumeChoices, ServerApi } from "./server_api";

/** How things stand between the page and its session; what the page shows about it is a function of this. */
export type Link =
  | { readonly kind: "starting"; readonly since: number; readonly launching: boolean; readonly resuming: boolean }
  | { readonly kind: "live"; readonly via: "websocket" | "polling" }
  | { readonly kind: "reconnecting"; readonly since: number }
  | { readonly kind: "signed-out" }
  | { readonly kind: "ended"; readonly session: SessionRecord; readonly problem: string | null };

export interface LinkOwner {
  /** The page joined the session; `anew` when it is another process than before. Everything is to be read again. */
  joined(init: ClientInit, anew: boolean): Promise<void> | void;
  events(batch: readonly SessionEvent[]): void;
  gap(from: number, to: number): void;
  /** The connection is back after a loss; nothing was missed. */
  resumed(): void;
  /** There is no R any more. */
  gone(): void;
}

const POLL_MS = 300;
const SLOW_POLL_MS = 1500;
const SILENCE_MS = 20_000;
const QUIT_MS = 5000;

/**
 * Keeps the page joined to its session for as long as it is open: joins, follows the event stream, and after any loss
 * finds out from the server whether to resume, to join a new process, or to ask the user.
 */
export class SessionLink {
  readonly link = signal<Link>({ kind: "starting", since: Date.now(), launching: false, resuming: false });
  private stream: EventStream | null = null;
  private streamName: string | null = null;
  private verified = true;
  private leaving: Promise<void> | null = null;
  private lastHeard = 0;
  private quitAt = Number.NEGATIVE_INFINITY;
  private readonly pause = new Pause();

  constructor(
    private readonly rpc: Rpc,
    private readonly api: ServerApi,
    private readonly transport: StreamTransport,
    private readonly owner: LinkOwner,
  ) {}

  /** Never returns. */
  async run(): Promise<never> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const init = await this.join();
        attempt = 0;
        await this.follow(init);
        if (this.link.value.kind === "ended") await this.restarted();
      } catch (error) {
        await this.explain(error, attempt);
      }
    }
  }

  /** Starts the ended session again; the page joins it by itself. */
  async restart(choices: ResumeChoices): Promise<void> {
    const before = this.link.value;
    const resuming = before.kind === "ended" && before.session.state === "suspended";
    this.link.value = { kind: "starting", since: Date.now(), launching: true, resuming };
    try {
      await this.api.resume(choices);
      this.pause.wake();
    } catch (error) {
      if (before.kind === "ended") this.link.value = { ...before, problem: messageOf(error) };
    }
  }

  /** Waits while R is being started; false when there is no R to be had. */
  whenStarted(): Promise<boolean> {
    return new Promise((resolve) => {
      const stop = effect(() => {
        const { kind } = this.link.value;
        if (kind === "starting") return;
        resolve(kind !== "ended");
        queueMicrotask(() => stop());
      });
    });
  }

  /** Does what makes this page go away; a connection lost by it is no loss, unless the action fails. */
  async leave(action: () => Promise<void>): Promise<void> {
    let stayed = (): void => undefined;
    const leaving = new Promise<void>((resolve) => {
      stayed = resolve;
    });
    this.leaving = leaving;
    try {
      await this.rpc.hold(leaving);
      await action();
    } catch (error) {
      this.leaving = null;
      stayed();
      throw error;
    }
  }

  /** The user, or the browser, believes that the connection may be back. */
  retryNow(): void {
    this.pause.wake();
    this.stream?.retryNow();
  }

  /** Something suggests that the connection or the sign-in is gone: drop the stream and find out. */
  recheck(): void {
    if (this.link.value.kind === "live") this.stream?.reconnect();
  }

  /** A connection that has been silent for long is asked whether it still lives. */
  async checkSilence(ping: () => Promise<void>): Promise<void> {
    if (this.link.value.kind !== "live" || Date.now() - this.lastHeard < SILENCE_MS) return;
    try {
      await ping();
      this.lastHeard = Date.now();
    } catch {
      this.recheck();
    }
  }

  private async join(): Promise<ClientInit> {
    if (this.link.value.kind !== "signed-out" && this.link.value.kind !== "reconnecting") this.begin(null);
    const watching = new AbortController();
    const watch = this.watchLaunch(watching.signal);
    try {
      return await this.rpc.call("client_init", []);
    } finally {
      watching.abort();
      await watch;
    }
  }

  /** The record of a session that is on its way; null: not known. */
  private begin(record: SessionRecord | null): void {
    const { value } = this.link;
    const before = value.kind === "starting" ? value : { since: Date.now(), launching: false, resuming: false };
    const launching = before.launching || record !== null;
    this.link.value = { ...before, kind: "starting", launching, resuming: before.resuming || isResuming(record) };
  }

  /** While the first answer is awaited: says so when it is R that is being started. */
  private async watchLaunch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const record = await this.api.state().catch(() => null);
      if (signal.aborted) return;
      if (record !== null && isComing(record)) this.begin(record);
      await aborted(signal, POLL_MS);
    }
  }

  private async follow(init: ClientInit): Promise<void> {
    const anew = this.streamName !== null && this.streamName !== init.stream;
    this.streamName = init.stream;
    this.rpc.clientId = init.clientId;
    this.verified = true;
    await this.owner.joined(init, anew);
    this.stream = new EventStream(init.eventId, this.transport, {
      events: (batch) => this.heard(batch),
      gap: (from, to) => this.owner.gap(from, to),
      state: (state) => this.streamState(state),
      lost: () => this.lost(),
    });
    await this.stream.run();
    this.stream = null;
  }

  private heard(batch: readonly SessionEvent[]): void {
    this.lastHeard = Date.now();
    if (batch.some(({ type }) => type === "quit")) this.quitAt = performance.now();
    this.owner.events(batch);
  }

  private streamState(state: StreamState): void {
    if (state === "waiting") {
      this.verified = false;
      return;
    }
    this.lastHeard = Date.now();
    this.link.value = { kind: "live", via: state };
    if (!this.verified) void this.verify();
  }

  /** After a loss the process behind the address may be another one; it does not know our clientId then. */
  private async verify(): Promise<void> {
    try {
      await this.rpc.call("list_documents", []);
      this.verified = true;
      this.owner.resumed();
    } catch (error) {
      if (error instanceof RpcError && error.code === ErrorCode.unknownClient) this.stream?.stop();
    }
  }

  private async lost(): Promise<Verdict> {
    await this.leaving;
    try {
      const record = await this.api.state();
      if (record.state === "running") {
        // R said that it ends; the server will know in a moment.
        if (performance.now() - this.quitAt < QUIT_MS) return "wait";
        this.reconnecting();
        return (await this.stillKnown()) ? "retry" : "stop";
      }
      if (!isComing(record) && record.state !== "suspending") {
        this.ended(record);
        return "stop";
      }
      if (record.state === "resuming") {
        this.begin(record);
        return "wait";
      }
      // A server that was itself started again is looking for its sessions; ours may well be among them.
      this.reconnecting();
      return "wait";
    } catch (error) {
      if (isCode(error, ErrorCode.notSignedIn)) this.link.value = { kind: "signed-out" };
      else this.reconnecting();
      return "wait";
    }
  }

  private async stillKnown(): Promise<boolean> {
    try {
      await this.rpc.call("list_documents", []);
      return true;
    } catch (error) {
      return !isCode(error, ErrorCode.unknownClient);
    }
  }

  private reconnecting(): void {
    if (this.link.value.kind !== "reconnecting") this.link.value = { kind: "reconnecting", since: Date.now() };
  }

  private ended(session: SessionRecord): void {
    this.link.value = { kind: "ended", session, problem: null };
    this.owner.gone();
  }

  /** Joining failed, or the session ended: says why, and returns when it is worth to try again. */
  private async explain(error: unknown, attempt: number): Promise<void> {
    if (isCode(error, ErrorCode.sessionEnded, ErrorCode.noSuchSession)) {
      const record = (error as RpcError).session ?? (await this.api.state().catch(() => null));
      this.ended(record ?? { id: "", state: "absent", cause: messageOf(error) });
    } else if (isCode(error, ErrorCode.notSignedIn)) {
      this.link.value = { kind: "signed-out" };
    } else this.reconnecting();
    if (this.link.value.kind === "ended") await this.restarted();
    else await this.pause.wait(retryDelay(attempt, Math.random()));
  }

  /** Resolves when the session was started again, here or from another tab. */
  private async restarted(): Promise<void> {
    for (;;) {
      await this.pause.wait(this.link.value.kind === "starting" ? POLL_MS : SLOW_POLL_MS);
      const record = await this.api.state().catch(() => null);
      if (record === null) continue;
      if (record.state === "running" || isComing(record)) return this.begin(record);
      if (this.link.value.kind === "starting" && record.state === "failed") this.ended(record);
    }
  }
}

function isResuming(record: SessionRecord | null): boolean {
  return record?.state === "resuming";
}

function isComing({ state }: SessionRecord): boolean {
  return state === "launching" || state === "resuming";
}

function isCode(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof RpcError && codes.includes(error.code);
}

/** Resolves after `ms` or as soon as the signal is aborted. */
function aborted(signal: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
