import type { FileEntry } from "../net/protocol";

/** A name inside a folder. */
export function joinPath(folder: string, name: string): string {
  return folder.endsWith("/") ? `${folder}${name}` : `${folder}/${name}`;
}

/** With the home directory as `~`. */
export function shortPath(path: string, home: string): string {
  return home !== "" && (path === home || path.startsWith(`${home}/`)) ? `~${path.slice(home.length)}` : path;
}

/** What was typed, as a path: absolute and home paths as they are, others from the folder shown. */
export function resolveEntry(folder: string, typed: string): string {
  return typed.startsWith("/") || typed.startsWith("~") ? typed : joinPath(folder, typed);
}

/** Folders first, then files, by name; hidden ones last. */
export function shownEntries(entries: readonly FileEntry[]): readonly FileEntry[] {
  const rank = (entry: FileEntry): number => (entry.name.startsWith(".") ? 2 : 0) + (entry.kind === "dir" ? 0 : 1);
  return [...entries].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, undefined, { numeric: true }));
}
