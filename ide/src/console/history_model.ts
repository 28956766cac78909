/** Lines typed before, and the walk through them with the arrow keys. */
export interface History {
  readonly entries: readonly string[];
  /** Where the walk is; `entries.length` means: at the line being typed. */
  readonly position: number;
  /** What was typed when the walk began: only entries starting with it are visited. */
  readonly draft: string;
}

export const MAX_ENTRIES = 5000;

export function historyOf(entries: readonly string[]): History {
  const kept = entries.slice(-MAX_ENTRIES);
  return { entries: kept, position: kept.length, draft: "" };
}

/** With one more entry, the walk ended; an empty line or a repetition of the last entry adds nothing. */
export function remember(history: History, entry: string): History {
  const skip = entry.trim() === "" || entry === history.entries.at(-1);
  return historyOf(skip ? history.entries : [...history.entries, entry]);
}

/** One step back (-1) or forward (+1) from the text shown; null when there is nothing further that way. */
export function walk(history: History, step: -1 | 1, shown: string): { history: History; text: string } | null {
  const walking = history.position < history.entries.length;
  if (!walking && step === 1) return null;
  const draft = walking ? history.draft : shown;
  for (let at = history.position + step; at >= 0 && at < history.entries.length; at += step) {
    const entry = history.entries[at] ?? "";
    if (entry.startsWith(draft) && entry !== shown)
      return { history: { ...history, position: at, draft }, text: entry };
  }
  if (step === -1) return null;
  return { history: historyOf(history.entries), text: draft };
}

/** Entries that contain every word of the query, newest first, each once. */
export function search(history: History, query: string, limit: number): readonly string[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = new Set<string>();
  for (let at = history.entries.length - 1; at >= 0 && found.size < limit; at -= 1) {
    const entry = history.entries[at] ?? "";
    const folded = entry.toLowerCase();
    if (words.every((word) => folded.includes(word))) found.add(entry);
  }
  return [...found];
}
