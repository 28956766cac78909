/** How many colours of people the style sheet has (`.person-colour-0` …). */
const COLOURS = 8;

/** The same colour for the same account in every page: of its face, its text cursor and its name at a text. */
export function colourOf(user: string): number {
  let hash = 0;
  for (const character of user) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % COLOURS;
}

/** One or two letters for a name: of its first and last word, else its first letters. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const first = [...(words[0] ?? "?")];
  const last = words.length > 1 ? [...(words[words.length - 1] ?? "")][0] : first[1];
  return `${first[0] ?? "?"}${last ?? ""}`.toUpperCase();
}
