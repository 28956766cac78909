import type { PlotsState } from "../net/protocol";

export const NO_PLOTS: PlotsState = { active: null, plots: [], error: null };

/** Size of the plots pane in CSS pixels, and device pixels per CSS pixel. */
export interface PlotSize {
  readonly width: number;
  readonly height: number;
  readonly dpr: number;
}

/** Place of the active plot in the history, from 0; -1 without one. */
export function placeOf(state: PlotsState): number {
  return state.plots.findIndex((plot) => plot.id === state.active);
}

/** The plot `step` places away from the active one; null past either end. */
export function neighbour(state: PlotsState, step: -1 | 1): string | null {
  const position = placeOf(state);
  return position < 0 ? null : (state.plots[position + step]?.id ?? null);
}

/** Address of the active plot drawn for this size; null when there is none, or no size yet. */
export function pictureAddress(state: PlotsState, size: PlotSize | null): string | null {
  const plot = state.plots[placeOf(state)];
  if (plot === undefined || size === null) return null;
  const query = new URLSearchParams({
    revision: String(plot.revision),
    width: String(size.width),
    height: String(size.height),
    dpr: String(size.dpr),
  });
  return `graphics/${encodeURIComponent(plot.id)}.png?${query}`;
}

export interface PlotTrouble {
  readonly title: string;
  readonly advice: string;
}

const MARGINS = /figure margins too large|plot region too large|invalid graphics state/;

/** The drawing error in words that say what to do. */
export function explain(error: string): PlotTrouble {
  if (MARGINS.test(error))
    return {
      title: "This pane is too small for the plot",
      advice: `Make the plots pane larger; the plot is drawn again by itself. R said: ${error}`,
    };
  return { title: "The plot could not be drawn", advice: error };
}
