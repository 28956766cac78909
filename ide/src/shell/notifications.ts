import { signal } from "@preact/signals";
import type { BrowserMemory } from "../layout/browser_memory";
import type { Notification } from "../net/protocol";

const KEY = "dismissed-notifications";
const MOST_KEPT = 100;

/** What the administrator tells everybody, but for what was dismissed in this browser. */
export class Notifications {
  readonly shown = signal<readonly Notification[]>([]);

  constructor(private readonly memory: BrowserMemory) {}

  receive(all: readonly Notification[]): void {
    const dismissed = this.dismissed();
    this.shown.value = all.filter(({ id }) => !dismissed.includes(id));
  }

  dismiss(id: string): void {
    this.memory.set(KEY, JSON.stringify([...this.dismissed(), id].slice(-MOST_KEPT)));
    this.shown.value = this.shown.value.filter((notification) => notification.id !== id);
  }

  private dismissed(): readonly unknown[] {
    try {
      const kept: unknown = JSON.parse(this.memory.get(KEY) ?? "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }
}
