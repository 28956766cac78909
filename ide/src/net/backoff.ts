const FIRST_MS = 100;
const LONGEST_MS = 2000;

/** Milliseconds before try number `attempt` (from 0): doubling up to two seconds, half of it random. */
export function retryDelay(attempt: number, random: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return full * (0.5 + random / 2);
}

/** Resolves after `ms`, or at once when `wake` is called; endless waits must be shortened by hand ("try now"). */
export class Pause {
  private resume: (() => void) | null = null;

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wake(), ms);
      this.resume = () => {
        clearTimeout(timer);
        this.resume = null;
        resolve();
      };
    });
  }

  wake(): void {
    this.resume?.();
  }
}
