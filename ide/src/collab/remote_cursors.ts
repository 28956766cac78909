import { type Extension, type Range, RangeSet, StateEffect } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  type EditorView,
  ViewPlugin,
  type ViewUpdate,
  WidgetType,
} from "@codemirror/view";
import * as Y from "yjs";
import { colourOf } from "../presence/face_look";
import type { SharedText } from "./shared_text";

const TYPING_MS = 2000;
const LONGEST_NAME = 64;
const MOST_CURSORS = 64;

const moved = StateEffect.define<null>();

/** What another page says of itself, as far as it can be believed. */
export interface Colleague {
  readonly client: number;
  readonly name: string;
  readonly typing: boolean;
  readonly anchor: unknown;
  readonly head: unknown;
}

/** All others who are in the text. */
export function colleagues(shared: SharedText): readonly Colleague[] {
  const found: Colleague[] = [];
  for (const [client, state] of shared.awareness.getStates()) {
    const name = (state as { user?: { name?: unknown } }).user?.name;
    if (client === shared.doc.clientID || typeof name !== "string" || found.length >= MOST_CURSORS) continue;
    const cursor = (state as { cursor?: { anchor?: unknown; head?: unknown } | null }).cursor;
    const typing = (state as { typing?: unknown }).typing === true;
    found.push({ client, name: name.slice(0, LONGEST_NAME), typing, anchor: cursor?.anchor, head: cursor?.head });
  }
  return found;
}

class CaretWidget extends WidgetType {
  constructor(
    private readonly name: string,
    private readonly colour: number,
  ) {
    super();
  }

  override eq(other: CaretWidget): boolean {
    return other.name === this.name;
  }

  toDOM(): HTMLElement {
    const caret = document.createElement("span");
    caret.className = `remote-caret person-colour-${this.colour}`;
    caret.setAttribute("aria-hidden", "true");
    const label = document.createElement("span");
    label.className = "remote-name";
    label.textContent = this.name;
    caret.append("\u2060", label, "\u2060");
    return caret;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** Cursors and selections of the others; tells them where this page's are, and that it types. */
export function remoteCursors(shared: SharedText): Extension {
  class Cursors {
    decorations: DecorationSet = RangeSet.empty;
    private readonly listener: () => void;
    private typing: ReturnType<typeof setTimeout> | null = null;

    constructor(private readonly view: EditorView) {
      this.decorations = this.draw();
      this.listener = () => queueMicrotask(() => this.redraw());
      shared.awareness.on("change", this.listener);
    }

    update(update: ViewUpdate): void {
      const own = update.transactions.some((each) => each.isUserEvent("input") || each.isUserEvent("delete"));
      if (own) this.types();
      if (update.selectionSet || update.focusChanged || own) this.tell();
      const told = update.transactions.some((each) => each.effects.some((effect) => effect.is(moved)));
      if (update.docChanged || told) this.decorations = this.draw();
    }

    destroy(): void {
      shared.awareness.off("change", this.listener);
      if (this.typing !== null) clearTimeout(this.typing);
    }

    private redraw(): void {
      if (this.view.dom.isConnected) this.view.dispatch({ effects: moved.of(null) });
    }

    private types(): void {
      if (this.typing === null) shared.awareness.setLocalStateField("typing", true);
      else clearTimeout(this.typing);
      this.typing = setTimeout(() => {
        this.typing = null;
        shared.awareness.setLocalStateField("typing", false);
      }, TYPING_MS);
    }

    private tell(): void {
      const { main } = this.view.state.selection;
      if (main.to > shared.text.length) return;
      const at = (position: number): unknown =>
        Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(shared.text, position));
      const cursor = { anchor: at(main.anchor), head: at(main.head) };
      const before = (shared.awareness.getLocalState() as { cursor?: unknown } | null)?.cursor;
      if (JSON.stringify(before) !== JSON.stringify(cursor)) shared.awareness.setLocalStateField("cursor", cursor);
    }

    private draw(): DecorationSet {
      const ranges: Range<Decoration>[] = [];
      for (const colleague of colleagues(shared)) ranges.push(...this.drawOne(colleague));
      return Decoration.set(ranges, true);
    }

    private drawOne({ name, anchor, head }: Colleague): Range<Decoration>[] {
      const from = this.place(anchor);
      const to = this.place(head);
      if (from === null || to === null) return [];
      const colour = colourOf(name);
      const caret = Decoration.widget({ widget: new CaretWidget(name, colour), side: 1 }).range(to);
      const mark = Decoration.mark({ class: `remote-selection person-colour-${colour}` });
      return from === to ? [caret] : [caret, mark.range(Math.min(from, to), Math.max(from, to))];
    }

    private place(json: unknown): number | null {
      if (typeof json !== "object" || json === null) return null;
      try {
        const position = Y.createRelativePositionFromJSON(json);
        const found = Y.createAbsolutePositionFromRelativePosition(position, shared.doc);
        if (found === null || found.type !== shared.text) return null;
        return Math.min(found.index, this.view.state.doc.length);
      } catch {
        return null;
      }
    }
  }
  return [ViewPlugin.fromClass(Cursors, { decorations: (plugin) => plugin.decorations })];
}
