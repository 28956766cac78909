import { signal } from "@preact/signals";
import { ErrorCode } from "../net/protocol";
import { isConnectionError, messageOf, RpcError } from "../net/rpc";

/** Typed at the prompt, or sent from a document that still has it. */
export type Origin = "prompt" | "editor";

/** Text for the prompt because R did not take it, and a sentence that says so. */
export interface Returned {
  readonly text: string;
  readonly why: string;
}

export interface Sending {
  readonly id: string;
  readonly text: string;
  readonly signal: AbortSignal;
}

export interface OutboxOwner {
  /** Waits while R is being started; false when there is no R. */
  ready(): Promise<boolean>;
  /** The name under which R's answer will tell of this text. */
  register(text: string): string;
  deliver(sending: Sending): Promise<unknown>;
}

export const NOT_REACHED = "R was not reached: this was not run. Enter runs it.";
export const NOT_RUNNING = "R is not running: this was not run.";
export const PERHAPS_SENT =
  "The connection broke while this was sent. Look at the console before you press Enter again.";

/** Longer pieces stay in the editor alone. */
const MOST_EDITOR_LINES = 20;

interface Entry {
  readonly text: string;
  readonly origin: Origin;
  /** It answers a question that no other process will ask. */
  readonly isAnswer: boolean;
  readonly lines: readonly string[];
  readonly abort: AbortController;
  /** Null: not sent yet. */
  id: string | null;
  taken: number;
}

/**
 * Lines on their way to R, one piece after the other, until R has taken each. What a process did not take before it
 * ended, or never got, is returned.
 */
export class Outbox {
  readonly returned = signal<Returned | null>(null);
  private entries: Entry[] = [];
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly owner: OutboxOwner) {}

  /** Whether the session has it; what it did not get is returned. */
  send(text: string, origin: Origin, isAnswer = false): Promise<boolean> {
    const entry = { text, origin, isAnswer, lines: linesOf(text), abort: new AbortController(), id: null, taken: 0 };
    this.entries.push(entry);
    const sent = this.turn.then(() => this.pass(entry));
    this.turn = sent;
    return sent;
  }

  /** R took a line; what was sent before that one will never be taken. */
  taken(id: string): void {
    const at = this.entries.findIndex((entry) => entry.id === id);
    const entry = this.entries[at];
    if (entry === undefined) return;
    entry.taken += 1;
    this.entries.splice(0, entry.taken < entry.lines.length ? at : at + 1);
  }

  /** The process is gone, and with it what it had not taken; `all`: nothing will be sent to another one either. */
  lose(why: string, all: boolean): void {
    this.giveBack((entry) => all || entry.id !== null, why, true);
  }

  /** The user does not want any of it to run. */
  forget(): void {
    this.drop(() => true);
  }

  private async pass(entry: Entry): Promise<boolean> {
    const isReady = await this.owner.ready();
    if (!this.entries.includes(entry)) return false;
    if (!isReady) return this.failed(entry, NOT_RUNNING);
    entry.id = this.owner.register(entry.text);
    try {
      await this.owner.deliver({ id: entry.id, text: entry.text, signal: entry.abort.signal });
      return true;
    } catch (error) {
      return this.failed(entry, sentenceOf(error));
    }
  }

  /** What stands behind a piece that did not get through must not run without it. */
  private failed(first: Entry, why: string): false {
    const at = this.entries.indexOf(first);
    const lost = new Set(at < 0 ? [] : this.entries.slice(at));
    this.giveBack((entry) => lost.has(entry), why, false);
    return false;
  }

  private giveBack(which: (entry: Entry) => boolean, why: string, isOtherProcess: boolean): void {
    const back = this.drop(which).filter(({ isAnswer }) => !(isAnswer && isOtherProcess));
    const pieces = back.map((entry) => ({ ...entry, lines: entry.lines.slice(entry.taken) }));
    const fits = pieces.filter(({ origin, lines }) => origin === "prompt" || lines.length <= MOST_EDITOR_LINES);
    const text = fits.flatMap(({ lines }) => lines).join("\n");
    const left = pieces.filter((piece) => !fits.includes(piece)).reduce((sum, { lines }) => sum + lines.length, 0);
    if (text.trim() === "" && left === 0) return;
    this.returned.value = { text, why: left === 0 ? why : `${why} ${left} lines of the editor were not run either.` };
  }

  private drop(which: (entry: Entry) => boolean): readonly Entry[] {
    const dropped = this.entries.filter(which);
    this.entries = this.entries.filter((entry) => !dropped.includes(entry));
    for (const { abort } of dropped) abort.abort();
    return dropped;
  }
}

/** As the session splits it. */
function linesOf(text: string): readonly string[] {
  return text.replace(/\r\n/g, "\n").replace(/\n$/, "").split("\n");
}

function sentenceOf(error: unknown): string {
  if (error instanceof RpcError && error.code === ErrorCode.connectionLost) return PERHAPS_SENT;
  return isConnectionError(error) ? NOT_REACHED : messageOf(error);
}
