import { EditorState } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { pieceAt } from "../src/editor/run_line";
import { nextNonBlank, statementAt } from "../src/editor/statements";

function at(source: string, line: number): [number, number] {
  const { first, last } = statementAt(source.split("\n"), line);
  return [first, last];
}

describe("statementAt", () => {
  it("is a line when nothing is open", () => {
    expect(at("x <- 1\ny <- 2\nz", 1)).toEqual([1, 1]);
  });

  it.each([
    ["brackets", "f(1,\n  2)\nx", [0, 1]],
    ["braces", "f <- function(x) {\n  x + 1\n}\ny", [0, 2]],
    ["an operator at the end", "a +\n  b\ny", [0, 1]],
    ["a native pipe", "x |>\n  f() |>\n  g()\ny", [0, 2]],
    ["a magrittr pipe", "x %>%\n  f()\ny", [0, 1]],
    ["a formula", "y ~\n  x\ny", [0, 1]],
    ["an assignment", "x <-\n  3\ny", [0, 1]],
    ["a function without braces", "f <- function(x)\n  x + 1\ny", [0, 1]],
    ["a lambda", "f <- \\(x)\n  x\ny", [0, 1]],
    ["a condition without braces", "if (a)\n  b\ny", [0, 1]],
    ["else", "if (a) b else\n  c\ny", [0, 1]],
    ["a loop", "for (i in 1:3)\n  print(i)\ny", [0, 1]],
    ["repeat", "repeat\n  break\ny", [0, 1]],
    ["a string over two lines", 'x <- "a\nb"\ny', [0, 1]],
    ["a raw string", 'x <- r"-(a)"\n)-"\ny', [0, 1]],
    ["a comment between", "f(1, # one (\n  2)\ny", [0, 1]],
    ["a name in backticks", "`a b\n` <- 1\ny", [0, 1]],
  ] as const)("goes on after %s", (_, source, range) => {
    for (let line = range[0]; line <= range[1]; line += 1) expect(at(source, line)).toEqual([...range]);
    expect(at(source, range[1] + 1)).toEqual([range[1] + 1, range[1] + 1]);
  });

  it.each([
    ["brackets in strings", 'x <- "("\ny'],
    ["escaped quotes", 'x <- "a\\""\ny'],
    ["brackets in comments", "x # {\ny"],
    ["a comment after an operator in a string", "x <- '+' # +\ny"],
    ["closers too many", "x)\ny"],
    ["names that begin like keywords", "iffy(1)\ny"],
    ["help", "?mean\ny"],
    ["a number with exponent", "1e-5\ny"],
    ["a name that ends in r before a string", 'bar("x")\ny'],
  ])("is not misled by %s", (_, source) => {
    expect(at(source, 0)).toEqual([0, 0]);
    expect(at(source, 1)).toEqual([1, 1]);
  });

  it("gives one line when the rest of the script never closes it", () => {
    expect(at("f(1,\nx <- 2\ny", 1)).toEqual([1, 1]);
  });

  it("is quick in long scripts", () => {
    const source = Array.from({ length: 20_000 }, (_, i) => `x${i} <- f(${i}, "a")`).join("\n");
    const begun = performance.now();
    expect(at(source, 19_999)).toEqual([19_999, 19_999]);
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});

describe("pieceAt", () => {
  const state = (doc: string, anchor: number, head = anchor) =>
    EditorState.create({ doc, selection: { anchor, head } });

  it("is the statement, and goes on to the next one over blank lines", () => {
    expect(pieceAt(state("f(\n1)\n\n\ny", 0), true)).toEqual({ text: "f(\n1)", next: 5 });
  });

  it("begins at the next code when the cursor is on a blank line", () => {
    expect(pieceAt(state("\n\nx\ny", 0), true)).toEqual({ text: "x", next: 4 });
  });

  it("stays on the last line at the end", () => {
    expect(pieceAt(state("x", 0), true)).toEqual({ text: "x", next: 1 });
    expect(pieceAt(state("x\n", 2), true)).toBeNull();
  });

  it("is the selection when there is one", () => {
    expect(pieceAt(state("abc\ndef\n", 1, 8), true)).toEqual({ text: "bc\ndef", next: null });
  });

  it("is one line where the text is not R", () => {
    expect(pieceAt(state("f(\n1)", 0), false)).toEqual({ text: "f(", next: 2 });
  });
});

describe("nextNonBlank", () => {
  it("skips blanks", () => {
    expect(nextNonBlank(["", "  ", "x"], 0)).toBe(2);
    expect(nextNonBlank(["", " "], 0)).toBe(2);
  });
});
