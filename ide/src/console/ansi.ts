/** Reading of terminal text: printable runs, line control and the escape sequences that R packages write. */

/** Index into the 256-colour palette, or `#rrggbb`. */
export type Colour = number | string;

/** How text looks; values are immutable and shared. */
export interface Pen {
  readonly fg?: Colour;
  readonly bg?: Colour;
  readonly bold?: boolean;
  readonly faint?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly inverse?: boolean;
  readonly strike?: boolean;
  readonly link?: string;
}

export const PLAIN: Pen = {};

/** Receives what the text says, in order. */
export interface AnsiSink {
  text(text: string): void;
  lineFeed(): void;
  carriageReturn(): void;
  backspace(): void;
  /** Form feed: R's way to ask for an empty console. */
  formFeed(): void;
  /** Erase in the current line: 0 from the cursor to the end, 1 up to the cursor, 2 all of it. */
  eraseLine(mode: number): void;
  /** Move to `column` (from 0), or by `column` when relative. */
  moveTo(column: number, relative: boolean): void;
  style(parameters: readonly number[]): void;
  /** Start of a hyperlink, or its end for `null`. */
  link(url: string | null): void;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this module is about
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f\x9b]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const CSI = /^(?:\x1b\[|\x9b)([0-9:;<=>?]*)([ -/]*)([@-~])/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const CSI_BEGUN = /^(?:\x1b\[|\x9b)[0-9:;<=>?]*[ -/]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const OSC = /^\x1b\]([^\x07\x1b]*)(?:\x07|\x1b\\)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const OSC_BEGUN = /^\x1b\][^\x07\x1b]*\x1b?$/;
const LONGEST_SEQUENCE = 4096;

/** Sends what `text` says to `sink`; returns a sequence cut off at the end, to be put before the next text. */
export function scan(text: string, sink: AnsiSink): string {
  let at = 0;
  while (at < text.length) {
    CONTROL.lastIndex = at;
    const found = CONTROL.exec(text);
    if (found === null) {
      sink.text(text.slice(at));
      return "";
    }
    if (found.index > at) sink.text(text.slice(at, found.index));
    const next = control(text, found.index, sink);
    if (next < 0) return text.slice(found.index);
    at = next;
  }
  return "";
}

/** Handles the control character at `at`; returns where to go on, -1 when more text is needed to know. */
function control(text: string, at: number, sink: AnsiSink): number {
  switch (text[at]) {
    case "\n":
      sink.lineFeed();
      return at + 1;
    case "\r":
      sink.carriageReturn();
      return at + 1;
    case "\b":
      sink.backspace();
      return at + 1;
    case "\f":
      sink.formFeed();
      return at + 1;
    case "\x1b":
    case "\x9b":
      return escapeSequence(text, at, sink);
    default:
      return at + 1;
  }
}

function escapeSequence(text: string, at: number, sink: AnsiSink): number {
  const rest = text.slice(at, at + LONGEST_SEQUENCE);
  const csi = CSI.exec(rest);
  if (csi !== null) {
    controlSequence(csi[1] ?? "", csi[3] ?? "", sink);
    return at + csi[0].length;
  }
  const osc = OSC.exec(rest);
  if (osc !== null) {
    operatingSystemCommand(osc[1] ?? "", sink);
    return at + osc[0].length;
  }
  const mayGoOn = rest === "\x1b" || CSI_BEGUN.test(rest) || OSC_BEGUN.test(rest);
  if (mayGoOn && rest.length < LONGEST_SEQUENCE) return -1;
  return at + (rest[1] === undefined || rest[1] === "[" || rest[1] === "]" ? 1 : 2);
}

function controlSequence(parameters: string, final: string, sink: AnsiSink): void {
  const numbers = parameters.split(/[;:]/).map((digits) => Number.parseInt(digits, 10) || 0);
  const first = numbers[0] ?? 0;
  const count = Math.max(1, first);
  if (final === "m" && !/[<=>?]/.test(parameters)) sink.style(numbers);
  else if (final === "K") sink.eraseLine(first);
  else if (final === "G") sink.moveTo(count - 1, false);
  else if (final === "C") sink.moveTo(count, true);
  else if (final === "D") sink.moveTo(-count, true);
}

function operatingSystemCommand(body: string, sink: AnsiSink): void {
  const link = /^8;[^;]*;(.*)$/s.exec(body);
  if (link !== null) sink.link(safeLink(link[1] ?? ""));
}

/** The address when it leads to a web page, else null: R's output must not make `javascript:` or `file:` clickable. */
export function safeLink(address: string): string | null {
  try {
    const url = new URL(address);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

type Flag = "bold" | "faint" | "italic" | "underline" | "inverse" | "strike";
const SET: Readonly<Record<number, Flag>> = {
  1: "bold",
  2: "faint",
  3: "italic",
  4: "underline",
  7: "inverse",
  9: "strike",
  21: "underline",
};
const RESET: Readonly<Record<number, readonly Flag[]>> = {
  22: ["bold", "faint"],
  23: ["italic"],
  24: ["underline"],
  27: ["inverse"],
  29: ["strike"],
};

type MutablePen = { -readonly [K in keyof Pen]: Pen[K] };

/** The pen after "select graphic rendition" with these parameters; a hyperlink is not touched by it. */
export function applyStyle(pen: Pen, parameters: readonly number[]): Pen {
  const next: MutablePen = { ...pen };
  for (let i = 0; i < parameters.length; i += 1) {
    const code = parameters[i] ?? 0;
    if (code === 0) clearStyle(next);
    else if (code === 38 || code === 48) i += extendedColour(next, code === 38 ? "fg" : "bg", parameters, i + 1);
    else if (!basicColour(next, code)) flag(next, code);
  }
  return Object.keys(next).length === 0 ? PLAIN : next;
}

function clearStyle(pen: MutablePen): void {
  for (const key of Object.keys(pen) as (keyof Pen)[]) if (key !== "link") delete pen[key];
}

function flag(pen: MutablePen, code: number): void {
  const name = SET[code];
  if (name !== undefined) pen[name] = true;
  for (const gone of RESET[code] ?? []) delete pen[gone];
}

function basicColour(pen: MutablePen, code: number): boolean {
  if (code >= 30 && code <= 37) pen.fg = code - 30;
  else if (code >= 90 && code <= 97) pen.fg = code - 90 + 8;
  else if (code >= 40 && code <= 47) pen.bg = code - 40;
  else if (code >= 100 && code <= 107) pen.bg = code - 100 + 8;
  else if (code === 39) delete pen.fg;
  else if (code === 49) delete pen.bg;
  else return false;
  return true;
}

/** Reads `5;n` or `2;r;g;b` at `at`; returns how many parameters it took. */
function extendedColour(pen: MutablePen, side: "fg" | "bg", parameters: readonly number[], at: number): number {
  const [mode, a = 0, b = 0, c = 0] = parameters.slice(at, at + 4);
  if (mode === 5) {
    pen[side] = Math.min(255, a);
    return 2;
  }
  if (mode !== 2) return 1;
  pen[side] = hex(a, b, c);
  return 4;
}

function hex(red: number, green: number, blue: number): string {
  const two = (value: number): string => Math.min(255, value).toString(16).padStart(2, "0");
  return `#${two(red)}${two(green)}${two(blue)}`;
}

const CUBE_STEPS = [0, 95, 135, 175, 215, 255] as const;

/** CSS colour of palette entries 16..255 (the first 16 belong to the theme). */
export function paletteColour(index: number): string {
  if (index >= 232) return hex(...grey(8 + (index - 232) * 10));
  const cube = index - 16;
  const step = (value: number): number => CUBE_STEPS[value % 6] ?? 0;
  return hex(step(Math.floor(cube / 36)), step(Math.floor(cube / 6)), step(cube));
}

function grey(level: number): [number, number, number] {
  return [level, level, level];
}
