import { effect, signal } from "@preact/signals";
import { browserMemory } from "./browser_memory";
import { type Layout, parse } from "./layout_model";

const KEY = "layout";

/** The layout of this browser, remembered between visits where the browser lets us. */
export const layout = signal<Layout>(parse(browserMemory.get(KEY)));

effect(() => browserMemory.set(KEY, JSON.stringify(layout.value)));
