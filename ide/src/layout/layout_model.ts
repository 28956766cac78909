/** Shares of the page: width of the left column, height of the upper pane in each column, all from 0 to 1. */
export interface Layout {
  readonly columns: number;
  readonly left: number;
  readonly right: number;
}

export type Divider = keyof Layout;

export const STANDARD: Layout = { columns: 0.58, left: 0.52, right: 0.42 };
export const SMALLEST = 0.12;

/** With one divider moved, no pane smaller than allowed. */
export function moved(layout: Layout, divider: Divider, share: number): Layout {
  return { ...layout, [divider]: clamp(share) };
}

function clamp(share: number): number {
  return Math.min(1 - SMALLEST, Math.max(SMALLEST, share));
}

const STEP = 0.02;

/** Where a key moves a divider; null for keys that do not. */
export function keyed(share: number, key: string, horizontal: boolean): number | null {
  if (key === (horizontal ? "ArrowLeft" : "ArrowUp")) return clamp(share - STEP);
  if (key === (horizontal ? "ArrowRight" : "ArrowDown")) return clamp(share + STEP);
  if (key === "Home") return SMALLEST;
  return key === "End" ? 1 - SMALLEST : null;
}

/** A layout from its stored text; the standard one where that does not read. */
export function parse(stored: string | null): Layout {
  try {
    const given = JSON.parse(stored ?? "{}") as Partial<Record<Divider, unknown>>;
    const share = (divider: Divider): number => {
      const value = given[divider];
      return typeof value === "number" && Number.isFinite(value) ? clamp(value) : STANDARD[divider];
    };
    return { columns: share("columns"), left: share("left"), right: share("right") };
  } catch {
    return STANDARD;
  }
}
