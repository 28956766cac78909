import type { App } from "../app";

const TELL_EVERY_MS = 60_000;
const SIGNS = ["keydown", "pointerdown", "wheel"] as const;
const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "NumLock", "ScrollLock"]);
/** Keys and clicks here mean something of their own, and leave a suspended session alone. */
const ELSEWHERE = ".top, .notices, .overlay, dialog";

/** Tells the session that somebody is there, and brings a suspended one back with the first key or click. */
export class Use {
  private toldAt = -TELL_EVERY_MS;

  constructor(
    private readonly app: App,
    private readonly now: () => number = () => performance.now(),
  ) {}

  listen(target: EventTarget): void {
    for (const sign of SIGNS)
      target.addEventListener(sign, (event) => this.seen(event), { capture: true, passive: true });
  }

  seen(event: Event): void {
    const { value } = this.app.link.link;
    if (value.kind === "live") this.tell();
    else if (value.kind === "ended" && value.session.state === "suspended" && meansResume(event)) this.app.resume();
  }

  private tell(): void {
    const isWarned = this.app.life.life.peek().kind === "ending";
    if (!isWarned && this.now() - this.toldAt < TELL_EVERY_MS) return;
    this.toldAt = this.now();
    // Whether it arrives is no matter of the user's: the next key tells again.
    this.app.rpc.call("keep_running", []).catch(() => undefined);
  }
}

function meansResume(event: Event): boolean {
  if (event.type === "wheel") return false;
  const { ctrlKey, metaKey, key } = event as KeyboardEvent;
  if (event.type === "keydown" && (ctrlKey || metaKey || MODIFIERS.has(key))) return false;
  return (event.target as Element | null)?.closest?.(ELSEWHERE) == null;
}
