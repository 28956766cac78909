import { type Colour, type Pen, PLAIN, paletteColour } from "./ansi";
import type { Chunk, ConsoleText, Line, Run } from "./console_model";

/**
 * Shows a `ConsoleText` in an element and keeps it up to date with as few DOM changes as possible: full chunks are
 * never touched again, finished lines keep their nodes (and a selection in them), dropped chunks are removed.
 */
export class OutputView {
  private readonly chunks = new Map<number, ChunkView>();

  constructor(private readonly parent: HTMLElement) {}

  update(text: ConsoleText): void {
    const present = new Set(text.chunks.map((chunk) => chunk.id));
    for (const [id, view] of this.chunks) {
      if (present.has(id)) continue;
      view.element.remove();
      this.chunks.delete(id);
    }
    for (const chunk of text.chunks) this.show(chunk);
  }

  private show(chunk: Chunk): void {
    let view = this.chunks.get(chunk.id);
    if (view === undefined) {
      view = new ChunkView();
      this.chunks.set(chunk.id, view);
      this.parent.append(view.element);
    }
    view.update(chunk);
  }
}

class ChunkView {
  readonly element = document.createElement("div");
  private shown: readonly Line[] = [];

  constructor() {
    this.element.className = "chunk";
  }

  update(chunk: Chunk): void {
    if (chunk.lines === this.shown) return;
    const nodes = this.element.children;
    chunk.lines.forEach((line, index) => {
      if (line === this.shown[index]) return;
      const element = lineElement(line);
      const old = nodes[index];
      if (old === undefined) this.element.append(element);
      else old.replaceWith(element);
    });
    while (nodes.length > chunk.lines.length) nodes[nodes.length - 1]?.remove();
    this.element.style.setProperty("--lines", String(chunk.lines.length));
    this.shown = chunk.lines;
  }
}

function lineElement(line: Line): HTMLElement {
  const element = document.createElement("div");
  element.className = "line";
  const only = line.length === 1 ? line[0] : undefined;
  if (only !== undefined && only.kind === "output" && only.pen === PLAIN) element.textContent = only.text;
  else element.append(...line.map(runElement));
  return element;
}

function runElement(run: Run): Node {
  if (run.kind === "output" && run.pen === PLAIN) return document.createTextNode(run.text);
  const element = document.createElement(run.pen.link === undefined ? "span" : "a");
  element.textContent = run.text;
  element.className = classesOf(run);
  if (element instanceof HTMLAnchorElement && run.pen.link !== undefined) openElsewhere(element, run.pen.link);
  paint(element, run.pen);
  return element;
}

function openElsewhere(link: HTMLAnchorElement, address: string): void {
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
}

function classesOf(run: Run): string {
  const { pen } = run;
  const classes = [`text-${run.kind}`];
  if (pen.bold) classes.push("bold");
  if (pen.faint) classes.push("faint");
  if (pen.italic) classes.push("italic");
  if (pen.underline) classes.push("underline");
  if (pen.strike) classes.push("strike");
  if (pen.inverse) classes.push("inverse");
  return classes.join(" ");
}

function paint(element: HTMLElement, pen: Pen): void {
  const front = pen.inverse ? (pen.bg ?? "var(--pane)") : pen.fg;
  const back = pen.inverse ? (pen.fg ?? "var(--text)") : pen.bg;
  if (front !== undefined) element.style.color = css(front);
  if (back !== undefined) element.style.backgroundColor = css(back);
}

function css(colour: Colour): string {
  if (typeof colour === "string") return colour;
  return colour < 16 ? `var(--ansi-${colour})` : paletteColour(colour);
}
