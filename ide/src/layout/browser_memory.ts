/** What this browser remembers between visits; it may forget everything, or be forbidden to remember. */
export interface BrowserMemory {
  get(key: string): string | null;
  set(key: string, value: string): void;
}

const PREFIX = "rserver.";

export const browserMemory: BrowserMemory = {
  get(key) {
    try {
      return localStorage.getItem(PREFIX + key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(PREFIX + key, value);
    } catch {
      // Storage may be switched off or full; the value then lasts as long as the page.
    }
  },
};
