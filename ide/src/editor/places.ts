import type { EditorPlaces, Place } from "../net/protocol";
import type { Rpc } from "../net/rpc";
import type { DocumentStore } from "./document_store";

/** How long a move of the cursor waits for the next one: alone, and when others see it. */
export const PAUSE_MS = 1000;
export const PAUSE_IN_COMPANY_MS = 200;

/** Where the user is in each document, kept by the session for the next page or process. */
export class Places {
  private readonly known = new Map<string, Place>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private waits = false;

  constructor(
    private readonly rpc: Rpc,
    private readonly documents: DocumentStore,
    /** Whether the session may be told: it answers, and is not about to be suspended. */
    private readonly isAwake: () => boolean = () => true,
    private readonly pause: () => number = () => PAUSE_MS,
  ) {}

  /** What the session knows; places noted here meanwhile count more. */
  receive(view: EditorPlaces | null | undefined): void {
    for (const [id, place] of Object.entries(view?.places ?? {})) if (!this.known.has(id)) this.known.set(id, place);
  }

  of(id: string): Place | null {
    return this.known.get(id) ?? null;
  }

  note(id: string, place: Place): void {
    this.known.set(id, place);
    this.changed();
  }

  /** Also when another document became the active one. */
  changed(): void {
    this.timer ??= setTimeout(() => void this.send(), this.pause());
  }

  /** The session can be told again. */
  wake(): void {
    if (this.waits) this.changed();
  }

  /** Sends what waits; `keepalive` lets it outlive the page. */
  async flush(keepalive = false): Promise<void> {
    if (this.timer !== null) await this.send(keepalive);
  }

  private async send(keepalive = false): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.waits = !this.isAwake();
    if (this.waits) return;
    const ids = this.documents.documents.value.map((document) => document.id);
    const places = Object.fromEntries(
      ids.flatMap((id) => {
        const place = this.known.get(id);
        return place === undefined ? [] : [[id, place]];
      }),
    );
    const view = { active: this.documents.active.value?.id ?? null, places };
    // Nothing is lost but a place, and the next move tells it again.
    await this.rpc.call("save_view", [view], { keepalive }).catch(() => undefined);
  }
}
