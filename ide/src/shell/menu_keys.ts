/** What of a key event decides; a real one fits. */
export interface Press {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/** The item of a menu that a key goes to from item `at`: arrows go round, a letter finds the next with it; null: none. */
export function targetOf(
  { key, ctrlKey, metaKey, altKey }: Press,
  words: readonly string[],
  at: number,
): number | null {
  const count = words.length;
  if (count === 0 || ctrlKey || metaKey || altKey) return null;
  if (key === "ArrowDown") return (at + 1) % count;
  if (key === "ArrowUp") return at <= 0 ? count - 1 : at - 1;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return [...key].length === 1 && key !== " " ? beginningWith(key, words, at) : null;
}

function beginningWith(letter: string, words: readonly string[], at: number): number | null {
  const wanted = letter.toLocaleLowerCase();
  for (let step = 1; step <= words.length; step += 1) {
    const next = (at + step) % words.length;
    if (words[next]?.trimStart().toLocaleLowerCase().startsWith(wanted)) return next;
  }
  return null;
}
