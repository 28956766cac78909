import { computed, signal } from "@preact/signals";
import type { MemoryUse, SessionEvent } from "../net/protocol";
import type { Rpc } from "../net/rpc";

/** From this share on memory runs short, as the session sees it too. */
const SHORT_SHARE = 0.85;

export interface MemoryGauge {
  readonly used: number;
  readonly limit: number;
  /** 0 to 1. */
  readonly share: number;
  readonly isShort: boolean;
}

/** How much of its memory the session uses, where it has a limit; asked for only after R has worked. */
export class MemoryStore {
  readonly warning = signal<string | null>(null);
  private readonly use = signal<Pick<MemoryUse, "used" | "limit"> | null>(null);
  readonly gauge = computed(() => gaugeOf(this.use.value));
  private isStale = false;

  constructor(private readonly rpc: Rpc) {}

  restore(memory: MemoryUse | null | undefined): void {
    this.use.value = memory ?? null;
    this.warning.value = memory?.warning ?? null;
  }

  receive(event: SessionEvent): void {
    if (event.type === "memory_warning") {
      this.use.value = event.data;
      this.warning.value = event.data.text;
    } else if (event.type === "busy") this.isStale = true;
  }

  /** There is no process any more. */
  gone(): void {
    this.restore(null);
  }

  /** Asks where there is a limit and R has worked since, or works now. */
  async look(isBusy: boolean): Promise<void> {
    if (this.use.value === null || !(this.isStale || isBusy)) return;
    this.isStale = false;
    const use = await this.rpc.call("get_memory_use", []).catch(() => null);
    if (use !== null) this.use.value = use;
  }
}

function gaugeOf(use: Pick<MemoryUse, "used" | "limit"> | null): MemoryGauge | null {
  if (use === null || use.limit <= 0) return null;
  const share = Math.min(1, use.used / use.limit);
  return { used: use.used, limit: use.limit, share, isShort: share >= SHORT_SHARE };
}

/** As the session's own sentences have it: by powers of 1024, `850 MB`, `4.1 GB`. */
export function memoryWords(bytes: number): string {
  const megabytes = bytes / 2 ** 20;
  if (megabytes < 1024) return `${Math.round(megabytes)} MB`;
  return `${(megabytes / 1024).toFixed(1).replace(/\.0$/, "")} GB`;
}
