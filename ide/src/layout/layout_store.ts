import { effect, signal } from "@preact/signals";
import { type Layout, parse } from "./layout_model";

const KEY = "rserver.layout";

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** The layout of this browser, remembered between visits where the browser lets us. */
export const layout = signal<Layout>(parse(stored()));

effect(() => {
  const text = JSON.stringify(layout.value);
  try {
    localStorage.setItem(KEY, text);
  } catch {
    // Storage may be switched off or full; the layout then lasts as long as the page.
  }
});
