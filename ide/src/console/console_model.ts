import { type AnsiSink, applyStyle, type Pen, PLAIN, scan } from "./ansi";

/** Where text came from; decides its basic look. */
export type Kind = "input" | "output" | "error" | "note";

export interface Run {
  readonly text: string;
  readonly kind: Kind;
  readonly pen: Pen;
}

export type Line = readonly Run[];

/** Lines are kept in chunks so that the view replaces only what changed; a full chunk never changes again. */
export interface Chunk {
  readonly id: number;
  readonly lines: readonly Line[];
}

/** All text of a console. The last line of the last chunk is the one being written; it may be empty. */
export interface ConsoleText {
  readonly chunks: readonly Chunk[];
  /** Cursor in the line being written, in UTF-16 units. */
  readonly column: number;
  readonly pens: Readonly<Record<Kind, Pen>>;
  /** Escape sequence that is not complete yet. */
  readonly unread: string;
  /** Lines that were dropped at the top to stay within bounds. */
  readonly dropped: number;
}

export type Transaction =
  | { readonly type: "write"; readonly kind: Kind; readonly text: string }
  /** A line of its own from the page itself. */
  | { readonly type: "note"; readonly text: string }
  | { readonly type: "clear" };

export const CHUNK_LINES = 100;
export const MAX_CHUNKS = 40;
export const MAX_LINE_LENGTH = 8192;

const PENS: Readonly<Record<Kind, Pen>> = { input: PLAIN, output: PLAIN, error: PLAIN, note: PLAIN };

export const EMPTY: ConsoleText = {
  chunks: [{ id: 0, lines: [[]] }],
  column: 0,
  pens: PENS,
  unread: "",
  dropped: 0,
};

export function apply(state: ConsoleText, transaction: Transaction): ConsoleText {
  switch (transaction.type) {
    case "write":
      return write(penned(state, transaction.kind), transaction.kind, transaction.text);
    case "note":
      return note(state, transaction.text);
    case "clear":
      return { ...EMPTY, chunks: [{ id: lastChunk(state).id + 1, lines: [[]] }], pens: state.pens };
  }
}

/** Number of lines held, the one being written included. */
export function lineCount(state: ConsoleText): number {
  return (state.chunks.length - 1) * CHUNK_LINES + lastChunk(state).lines.length;
}

export function plainText(state: ConsoleText): string {
  const lines = state.chunks.flatMap((chunk) => chunk.lines);
  return lines.map((line) => line.map((run) => run.text).join("")).join("\n");
}

function lastChunk(state: ConsoleText): Chunk {
  return state.chunks[state.chunks.length - 1] as Chunk;
}

function write(state: ConsoleText, kind: Kind, text: string): ConsoleText {
  const writer = new Writer(state, kind);
  writer.unread = scan(state.unread + text, writer);
  return writer.finish();
}

/** Colours that a program left switched on end where the next input begins. */
function penned(state: ConsoleText, kind: Kind): ConsoleText {
  return kind === "input" ? { ...state, pens: PENS, unread: "" } : state;
}

function note(state: ConsoleText, text: string): ConsoleText {
  const fresh = state.column > 0 || (lastChunk(state).lines.at(-1)?.length ?? 0) > 0 ? "\n" : "";
  return write({ ...state, unread: "" }, "note", `${fresh}${text}\n`);
}

/** Applies one stretch of terminal text to a copy of the open chunk. */
class Writer implements AnsiSink {
  unread = "";
  private readonly chunks: Chunk[];
  private lines: Line[];
  private chunkId: number;
  private line: Run[];
  private length: number;
  private column: number;
  private dropped: number;
  private pen: Pen;

  constructor(
    private readonly state: ConsoleText,
    private readonly kind: Kind,
  ) {
    const open = lastChunk(state);
    this.chunks = state.chunks.slice(0, -1);
    this.lines = open.lines.slice(0, -1);
    this.chunkId = open.id;
    this.line = [...(open.lines.at(-1) ?? [])];
    this.length = lengthOf(this.line);
    this.column = state.column;
    this.dropped = state.dropped;
    this.pen = state.pens[kind];
  }

  finish(): ConsoleText {
    this.lines.push(this.line);
    this.chunks.push({ id: this.chunkId, lines: this.lines });
    return {
      chunks: this.chunks,
      column: this.column,
      pens: { ...this.state.pens, [this.kind]: this.pen },
      unread: this.unread,
      dropped: this.dropped,
    };
  }

  text(text: string): void {
    let rest = text;
    while (this.column + rest.length > MAX_LINE_LENGTH) {
      const fits = Math.max(0, MAX_LINE_LENGTH - this.column);
      this.put(rest.slice(0, fits));
      this.lineFeed();
      rest = rest.slice(fits);
    }
    this.put(rest);
  }

  lineFeed(): void {
    this.lines.push(this.line);
    this.line = [];
    this.length = 0;
    this.column = 0;
    if (this.lines.length === CHUNK_LINES) this.closeChunk();
  }

  carriageReturn(): void {
    this.column = 0;
  }

  backspace(): void {
    this.column = Math.max(0, this.column - 1);
  }

  formFeed(): void {
    this.chunks.length = 0;
    this.lines = [];
    this.chunkId += 1;
    this.dropped = 0;
    this.replaceLine([]);
    this.column = 0;
  }

  eraseLine(mode: number): void {
    if (mode === 0) this.replaceLine(cut(this.line, 0, this.column));
    else if (mode === 1) this.put(" ".repeat(this.column), 0);
    else this.replaceLine([]);
  }

  moveTo(column: number, relative: boolean): void {
    const target = relative ? this.column + column : column;
    this.column = Math.min(Math.max(0, target), MAX_LINE_LENGTH);
  }

  style(parameters: readonly number[]): void {
    this.pen = applyStyle(this.pen, parameters);
  }

  link(url: string | null): void {
    const { link: _, ...pen } = this.pen;
    this.pen = url === null ? pen : { ...pen, link: url };
  }

  private closeChunk(): void {
    this.chunks.push({ id: this.chunkId, lines: this.lines });
    this.chunkId += 1;
    this.lines = [];
    if (this.chunks.length < MAX_CHUNKS) return;
    this.dropped += this.chunks.shift()?.lines.length ?? 0;
  }

  private put(text: string, column = this.column): void {
    if (text === "") return;
    const end = column + text.length;
    if (column === this.length) this.append(text);
    else this.overwrite(text, column, end);
    this.length = Math.max(this.length, end);
    this.column = end;
  }

  private append(text: string): void {
    const last = this.line.at(-1);
    if (last !== undefined && last.kind === this.kind && last.pen === this.pen)
      this.line[this.line.length - 1] = { ...last, text: last.text + text };
    else this.line.push(this.run(text));
  }

  private overwrite(text: string, column: number, end: number): void {
    const gap = column > this.length ? [this.run(" ".repeat(column - this.length))] : [];
    const line = [...cut(this.line, 0, column), ...gap, this.run(text), ...cut(this.line, end, this.length)];
    this.replaceLine(line);
  }

  private run(text: string): Run {
    return { text, kind: this.kind, pen: this.pen };
  }

  private replaceLine(line: Run[]): void {
    this.line = line;
    this.length = lengthOf(line);
  }
}

function lengthOf(line: Line): number {
  return line.reduce((sum, run) => sum + run.text.length, 0);
}

/** The part of a line between two columns. */
function cut(line: Line, from: number, to: number): Run[] {
  const part: Run[] = [];
  let at = 0;
  for (const run of line) {
    const text = run.text.slice(Math.max(0, from - at), Math.max(0, to - at));
    if (text !== "") part.push({ ...run, text });
    at += run.text.length;
  }
  return part;
}
