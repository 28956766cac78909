import type { EnvironmentChange, EnvironmentObject, EnvironmentState } from "../net/protocol";

/** The objects of the shown environment by name, and how many there are in all. */
export interface Environment {
  readonly name: string;
  readonly objects: ReadonlyMap<string, EnvironmentObject>;
  readonly total: number;
}

export const NO_OBJECTS: Environment = { name: "Global environment", objects: new Map(), total: 0 };

export type Group = "Data" | "Values" | "Functions";
export type Row =
  | { readonly type: "heading"; readonly group: Group; readonly count: number }
  | { readonly type: "object"; readonly object: EnvironmentObject };

const GROUPS: readonly Group[] = ["Data", "Values", "Functions"];

export function environmentOf(state: EnvironmentState): Environment {
  return { name: state.name, objects: new Map(state.objects.map((o) => [o.name, o])), total: state.total };
}

/** After a change; null when everything must be read anew. */
export function changed(environment: Environment, change: EnvironmentChange): Environment | null {
  if (change.reset) return null;
  const objects = new Map(environment.objects);
  for (const name of change.removed) objects.delete(name);
  for (const object of change.changed) objects.set(object.name, object);
  return { ...environment, objects, total: change.total };
}

function groupOf(object: EnvironmentObject): Group {
  if (object.kind === "data") return "Data";
  return object.kind === "function" ? "Functions" : "Values";
}

/** The rows to show: objects whose name contains the filter, in groups, by name. */
export function rowsOf(environment: Environment, filter: string): readonly Row[] {
  const wanted = filter.trim().toLowerCase();
  const members = new Map<Group, EnvironmentObject[]>(GROUPS.map((group) => [group, []]));
  for (const object of environment.objects.values())
    if (object.name.toLowerCase().includes(wanted)) members.get(groupOf(object))?.push(object);
  return GROUPS.flatMap((group): Row[] => {
    const objects = (members.get(group) ?? []).sort(byName);
    if (objects.length === 0) return [];
    return [
      { type: "heading", group, count: objects.length },
      ...objects.map((o): Row => ({ type: "object", object: o })),
    ];
  });
}

function byName(a: EnvironmentObject, b: EnvironmentObject): number {
  return a.name.localeCompare(b.name, undefined, { numeric: true });
}

/** Bytes as people read them: `1.5 MB`; empty when unknown. */
export function formatSize(bytes: number | null): string {
  if (bytes === null) return "";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ""}`;
}

/** The rows that a viewport shows, with a margin, for lists too long to be drawn whole. */
export function visibleRange(
  count: number,
  rowHeight: number,
  scrollTop: number,
  height: number,
): { readonly first: number; readonly end: number } {
  const margin = 10;
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - margin);
  const end = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + margin);
  return { first: Math.min(first, end), end };
}
