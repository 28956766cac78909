import { describe, expect, it } from "vitest";
import {
  apply,
  CHUNK_LINES,
  type ConsoleText,
  EMPTY,
  type Kind,
  lineCount,
  MAX_CHUNKS,
  MAX_LINE_LENGTH,
  plainText,
} from "../src/console/console_model";

function write(state: ConsoleText, text: string, kind: Kind = "output"): ConsoleText {
  return apply(state, { type: "write", kind, text });
}

function shown(...texts: readonly string[]): string {
  return plainText(texts.reduce((state, text) => write(state, text), EMPTY));
}

describe("writing", () => {
  it("puts lines below each other", () => {
    expect(shown("a\nb", "c\n")).toBe("a\nbc\n");
  });

  it("overwrites after a carriage return, as progress bars do", () => {
    expect(shown("50 %", "\r100 %\r\n")).toBe("100 %\n");
    expect(shown("abcdef\rXY")).toBe("XYcdef");
  });

  it("goes back one column at a backspace", () => {
    expect(shown("ab\bc")).toBe("ac");
    expect(shown("\b\bx")).toBe("x");
  });

  it("erases in the line", () => {
    expect(shown("abcdef\r\x1b[K")).toBe("");
    expect(shown("abcdef\x1b[3D\x1b[K")).toBe("abc");
    expect(shown("abcdef\x1b[3D\x1b[1Kx")).toBe("   xef");
  });

  it("fills the gap when the cursor went beyond the end", () => {
    expect(shown("ab\x1b[6Gx")).toBe("ab   x");
  });

  it("clears at a form feed", () => {
    expect(shown("a\nb\n\fc")).toBe("c");
  });

  it("joins a sequence that was cut in two", () => {
    const state = write(write(EMPTY, "x\x1b[3"), "1mred");
    expect(state.chunks[0]?.lines[0]).toEqual([
      { text: "x", kind: "output", pen: {} },
      { text: "red", kind: "output", pen: { fg: 1 } },
    ]);
  });

  it("keeps the kinds apart in one line, and their pens", () => {
    let state = write(EMPTY, "\x1b[1mbold ");
    state = write(state, "error ", "error");
    state = write(state, "bold");
    expect(state.chunks[0]?.lines[0]).toEqual([
      { text: "bold ", kind: "output", pen: { bold: true } },
      { text: "error ", kind: "error", pen: {} },
      { text: "bold", kind: "output", pen: { bold: true } },
    ]);
  });

  it("ends colours that were left on when the next input comes", () => {
    const state = write(write(write(EMPTY, "\x1b[31mred\n"), "> x\n", "input"), "plain");
    expect(state.chunks[0]?.lines[2]).toEqual([{ text: "plain", kind: "output", pen: {} }]);
  });

  it("does not change the state it started from", () => {
    const before = write(EMPTY, "a\nb");
    const copy = structuredClone(before);
    write(before, "c\nd\r");
    expect(before).toEqual(copy);
  });

  it("leaves finished lines as they are, so that the view need not touch them", () => {
    const before = write(EMPTY, "a\nb");
    const after = write(before, "c\n");
    expect(after.chunks[0]?.lines[0]).toBe(before.chunks[0]?.lines[0]);
    expect(after.chunks[0]?.lines[1]).not.toBe(before.chunks[0]?.lines[1]);
  });
});

describe("bounds", () => {
  it("drops whole chunks at the top and counts their lines", () => {
    const total = CHUNK_LINES * (MAX_CHUNKS + 5) + 7;
    const text = Array.from({ length: total }, (_, index) => `${index}\n`).join("");
    const state = write(EMPTY, text);
    expect(lineCount(state)).toBeLessThanOrEqual(CHUNK_LINES * MAX_CHUNKS);
    expect(state.dropped + lineCount(state)).toBe(total + 1);
    expect(plainText(state).endsWith(`${total - 1}\n`)).toBe(true);
    expect(state.chunks.slice(0, -1).every((chunk) => chunk.lines.length === CHUNK_LINES)).toBe(true);
  });

  it("keeps chunk numbers unique and rising", () => {
    const state = write(EMPTY, "x\n".repeat(CHUNK_LINES * (MAX_CHUNKS + 3)));
    const ids = state.chunks.map((chunk) => chunk.id);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  });

  it("breaks lines without end", () => {
    const state = write(EMPTY, "x".repeat(MAX_LINE_LENGTH * 2 + 10));
    expect(state.chunks[0]?.lines.map((line) => line[0]?.text.length)).toEqual([MAX_LINE_LENGTH, MAX_LINE_LENGTH, 10]);
  });

  it("takes a million lines in a moment", () => {
    const text = Array.from({ length: 1_000_000 }, (_, index) => `${index} \n`).join("");
    const begun = performance.now();
    const state = write(EMPTY, text);
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(plainText(state)).toContain("999999");
  });
});

describe("notes and clearing", () => {
  it("gives a note a line of its own", () => {
    const state = apply(write(EMPTY, "half"), { type: "note", text: "A new R session" });
    expect(plainText(state)).toBe("half\nA new R session\n");
  });

  it("clears everything and uses no chunk number twice", () => {
    const before = write(EMPTY, "a\n");
    const after = apply(before, { type: "clear" });
    expect(plainText(after)).toBe("");
    expect(after.chunks[0]?.id).not.toBe(before.chunks[0]?.id);
  });
});
