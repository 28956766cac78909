import { batch, computed, signal } from "@preact/signals";
import type { ConsoleAction, ConsoleSnapshot, SessionEvent } from "../net/protocol";
import { localTimes } from "../shell/local_times";
import { apply, type ConsoleText, EMPTY, type Kind, type Transaction } from "./console_model";
import { type History, historyOf, remember } from "./history_model";

/** What R waits for; null while it works. */
export interface Prompt {
  readonly text: string;
  /** The line goes into the history; false for `readline()` and its kin. */
  readonly history: boolean;
}

const KIND_OF_ACTION: Readonly<Record<ConsoleAction["type"], Kind>> = {
  input: "input",
  output: "output",
  error: "error",
  note: "note",
  prompt: "input",
};

/** State of the console: changed by events and by what the user submits, shown by the view. */
export class ConsoleStore {
  readonly text = signal<ConsoleText>(EMPTY);
  readonly prompt = signal<Prompt | null>(null);
  readonly busy = signal(false);
  readonly history = signal<History>(historyOf([]));
  /** True at a prompt that goes on with an incomplete statement. */
  readonly continuing = computed(() => /^\+\s*$/.test(this.prompt.value?.text ?? ""));
  private readonly own = new Set<string>();
  private submitted = 0;
  private readonly tab = crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36) ?? "0";

  /** Shows what the session had when the page came, below what is already there when that is asked for. */
  restore(snapshot: ConsoleSnapshot, history: readonly string[], keep: boolean): void {
    batch(() => {
      this.text.value = keep ? this.text.value : apply(this.text.value, { type: "clear" });
      // A page that was there saw what an earlier process showed, and perhaps more of it.
      const actions = keep ? snapshot.actions.slice(snapshot.earlier ?? 0) : snapshot.actions;
      for (const { kind, text } of joined(actions)) this.change({ type: "write", kind, text });
      this.prompt.value = snapshot.prompt === null ? null : { text: snapshot.prompt, history: snapshot.history };
      this.busy.value = snapshot.busy;
      this.history.value = historyOf(history);
    });
  }

  /** Takes what concerns the console out of a batch of events. */
  receive(events: readonly SessionEvent[]): void {
    let kind: Kind = "output";
    let pending: string[] = [];
    const flush = (): void => {
      if (pending.length > 0) this.change({ type: "write", kind, text: pending.join("") });
      pending = [];
    };
    for (const event of events) {
      const written = kindOfEvent(event);
      if (written === null) continue;
      if (written !== kind) flush();
      kind = written;
      pending.push((event.data as { text: string }).text);
    }
    flush();
    for (const event of events) this.turn(event);
  }

  /** R is gone: nothing runs and nothing is waited for. */
  halt(): void {
    this.prompt.value = null;
    this.busy.value = false;
  }

  /** Puts older input before what is known already. */
  recall(kept: readonly string[]): void {
    const known = this.history.value.entries;
    if (kept.length > known.length) this.history.value = historyOf(kept);
  }

  note(text: string): void {
    this.change({ type: "note", text });
  }

  clear(): void {
    this.change({ type: "clear" });
  }

  /** Marks text as typed here; returns the console id to send with it. */
  submit(text: string): string {
    this.submitted += 1;
    const id = `${this.tab}-${this.submitted}`;
    this.own.add(id);
    if (this.prompt.value?.history !== false) this.history.value = remember(this.history.value, text);
    return id;
  }

  private change(transaction: Transaction): void {
    const isNote = transaction.type === "write" && transaction.kind === "note";
    const shown = isNote ? { ...transaction, text: localTimes(transaction.text) } : transaction;
    this.text.value = apply(this.text.value, shown);
  }

  private turn(event: SessionEvent): void {
    if (event.type === "console_prompt") this.prompt.value = { text: event.data.prompt, history: event.data.history };
    else if (event.type === "busy") this.busy.value = event.data.value;
    else if (event.type === "console_write_input") this.taken(event.data);
  }

  /** R took a line: no prompt until the next one comes; lines of other tabs join the history. */
  private taken(input: { readonly text: string; readonly console_id: string }): void {
    const prompt = this.prompt.value;
    this.prompt.value = null;
    if (prompt?.history !== true || this.own.has(input.console_id)) return;
    const line = input.text.startsWith(prompt.text) ? input.text.slice(prompt.text.length) : input.text;
    this.history.value = remember(this.history.value, line.replace(/\n$/, ""));
  }
}

function kindOfEvent(event: SessionEvent): Kind | null {
  if (event.type === "console_write_output") return "output";
  if (event.type === "console_write_error") return "error";
  if (event.type === "console_write_note") return "note";
  return event.type === "console_write_input" ? "input" : null;
}

function joined(actions: readonly ConsoleAction[]): readonly { kind: Kind; text: string }[] {
  const runs: { kind: Kind; text: string }[] = [];
  for (const action of actions) {
    const kind = KIND_OF_ACTION[action.type];
    const last = runs.at(-1);
    if (last?.kind === kind) last.text += action.text;
    else runs.push({ kind, text: action.text });
  }
  return runs;
}
