import type { JSX } from "preact";

const PATHS = {
  plus: "M8 3.5v9M3.5 8h9",
  folder: "M2 4.5a1 1 0 0 1 1-1h3.2l1.5 1.6H13a1 1 0 0 1 1 1V12a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1z",
  file: "M4 2.5h5l3 3v8H4zM9 2.5v3h3",
  save: "M3 3h8.2L13 4.8V13H3zM5.5 3v3h4V3M5.5 13V9.5h5V13",
  run: "M5 3.2v9.6L12.5 8z",
  runAll: "M2.8 3.4v9.2L8 8zM8.6 3.4v9.2L13.8 8z",
  stop: "M4.5 4.5h7v7h-7z",
  close: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  down: "M4.5 6.5L8 10l3.5-3.5",
  left: "M10 3.5L5.5 8l4.5 4.5",
  right: "M6 3.5L10.5 8 6 12.5",
  up: "M8 13V3.5M4 7.2L8 3.2l4 4",
  trash: "M3 4.5h10M6.2 4.5V3h3.6v1.5M4.3 4.5l.6 8.5h6.2l.6-8.5M6.8 7v3.8M9.2 7v3.8",
  clear: "M3 8h10",
  signOut: "M9.5 3H3.5v10h6M7 8h6.5M11 5.5L13.5 8 11 10.5",
  search: "M7 11.2a4.2 4.2 0 1 0 0-8.4 4.2 4.2 0 0 0 0 8.4zM10.2 10.2L13.5 13.5",
  plot: "M2.5 13.5h11M4.5 11V8M8 11V3.5M11.5 11V6",
} as const;

export type IconName = keyof typeof PATHS;

/** A drawing beside or instead of a label; it says nothing to a screen reader. */
export function Icon({ name, solid = false }: { readonly name: IconName; readonly solid?: boolean }): JSX.Element {
  return (
    <svg class={solid ? "icon icon-solid" : "icon"} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
