const NEAR_PX = 24;
const HIDDEN_MS = 250;

/** Runs an action at most once per frame, however often it is asked for; in a hidden tab, where no frame comes, slowly. */
export class FrameTask {
  private frame = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly action: () => void) {}

  request(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => this.fire());
    this.timer = setTimeout(() => this.fire(), HIDDEN_MS);
  }

  cancel(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.frame = 0;
  }

  private fire(): void {
    this.cancel();
    this.action();
  }
}

/** Keeps a scrolling element at its end, unless the user scrolled up. */
export function follow(
  scroller: HTMLElement,
  setAway: (away: boolean) => void,
): { keep: () => void; stop: () => void } {
  let following = true;
  let height = 0;
  const atEnd = (): boolean => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
  const keep = (): void => {
    if (following) scroller.scrollTop = scroller.scrollHeight;
    height = scroller.scrollHeight;
  };
  const moved = (): void => {
    // Content that grew or shrank also scrolls; only the user's own scrolling changes the mind.
    if (scroller.scrollHeight !== height && following) keep();
    else following = atEnd();
    setAway(!following);
  };
  const observer = new ResizeObserver(keep);
  observer.observe(scroller);
  for (const child of scroller.children) observer.observe(child);
  scroller.addEventListener("scroll", moved, { passive: true });
  return {
    keep,
    stop: () => {
      observer.disconnect();
      scroller.removeEventListener("scroll", moved);
    },
  };
}
