import { signal } from "@preact/signals";
import type { Blocker, ClientInit, SessionEvent, Timeouts, WorkspaceProgress } from "../net/protocol";

/** Bytes done and, as far as it is known, in all. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

export type EndAction = "suspend" | "quit" | "kill";

/** What becomes of the session, as its page shows it. `endsAt` is a moment of `performance.now()`. */
export type Life =
  | { readonly kind: "active" }
  | { readonly kind: "ending"; readonly action: EndAction; readonly endsAt: number; readonly rule: string }
  | { readonly kind: "blocked"; readonly why: string; readonly blockers: readonly Blocker[] }
  | { readonly kind: "suspending" };

const ACTIVE: Life = { kind: "active" };

/** Time-outs, suspension and loading of the session, from its events. */
export class LifeStore {
  readonly life = signal<Life>(ACTIVE);
  readonly written = signal<Progress | null>(null);
  /** Objects that come back after a resume; null: all are there, or wait to be touched. */
  readonly loading = signal<Progress | null>(null);

  constructor(private readonly now: () => number = () => performance.now()) {}

  restore(init: ClientInit): void {
    this.life.value = init.timeouts === undefined ? ACTIVE : this.lifeOf(init.timeouts);
    this.written.value = null;
    const { workspace } = init;
    this.loading.value = workspace?.loading === true ? { done: workspace.done, total: workspace.total } : null;
  }

  receive(event: SessionEvent): void {
    if (event.type === "session_timeouts") {
      this.life.value = this.lifeOf(event.data);
      if (event.data.phase !== "suspending") this.written.value = null;
    } else if (event.type === "workspace_progress") this.progress(event.data);
  }

  /** There is no process any more. */
  gone(): void {
    this.life.value = ACTIVE;
    this.written.value = this.loading.value = null;
  }

  /** The user has read it. */
  dismiss(): void {
    this.life.value = ACTIVE;
  }

  private lifeOf(state: Timeouts): Life {
    const { phase, action, seconds, text, blockers } = state;
    if (phase === "warned" && action !== null)
      return { kind: "ending", action, endsAt: this.now() + (seconds ?? 0) * 1000, rule: text };
    if (phase === "blocked") return { kind: "blocked", why: text, blockers };
    return phase === "suspending" ? { kind: "suspending" } : ACTIVE;
  }

  private progress({ action, done, total, loading }: WorkspaceProgress): void {
    if (action === "suspend") this.written.value = { done, total };
    else if (action === "resume") this.loading.value = loading === true ? { done, total } : null;
  }
}

/** Bytes as people write them, with the unit of the larger number where two are compared. */
export function inBytes(count: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"] as const;
  let size = count;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = unit > 1 && size < 99.95 ? 1 : 0;
  return `${size.toFixed(digits)} ${units[unit]}`;
}

/** Minutes and seconds, `2:05`; from an hour on hours too. */
export function countdown(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
