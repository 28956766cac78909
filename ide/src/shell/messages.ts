import { signal } from "@preact/signals";

export type MessageKind = "info" | "warning" | "error";

export interface Message {
  readonly id: number;
  readonly kind: MessageKind;
  readonly text: string;
  /** What the message is about, to be opened in a tab. */
  readonly url: string | null;
}

/** An address that a message may lead to: of the web, or a path of this server. Whatever else R says is no link. */
export function safeLink(url: string | undefined): string | null {
  return url !== undefined && /^(https?:\/\/|\/(?![/\\]))/.test(url) ? url : null;
}

const MOST_SHOWN = 5;

/** Short notices that do not interrupt; errors stay until dismissed. */
export class Messages {
  readonly shown = signal<readonly Message[]>([]);
  private last = 0;

  show(kind: MessageKind, text: string, url?: string): void {
    if (this.shown.value.some((message) => message.text === text)) return;
    this.last += 1;
    this.shown.value = [...this.shown.value, { id: this.last, kind, text, url: safeLink(url) }].slice(-MOST_SHOWN);
  }

  /** Takes back what is no longer true. */
  withdraw(text: string): void {
    this.shown.value = this.shown.value.filter((message) => message.text !== text);
  }

  dismiss(id: number): void {
    this.shown.value = this.shown.value.filter((message) => message.id !== id);
  }
}
