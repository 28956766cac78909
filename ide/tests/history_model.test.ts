import { describe, expect, it } from "vitest";
import { historyOf, MAX_ENTRIES, remember, search, walk } from "../src/console/history_model";

const history = historyOf(["plot(x)", "x <- 1", "print(x)", "plot(y)"]);

function walked(start: string, ...steps: readonly (-1 | 1)[]): (string | null)[] {
  let now = history;
  let text = start;
  return steps.map((step) => {
    const found = walk(now, step, text);
    if (found === null) return null;
    now = found.history;
    text = found.text;
    return text;
  });
}

describe("walk", () => {
  it("goes back and forth, to the line that was being typed", () => {
    expect(walked("", -1, -1, 1, 1, 1)).toEqual(["plot(y)", "print(x)", "plot(y)", "", null]);
  });

  it("visits only what starts like the line", () => {
    expect(walked("plot", -1, -1, -1, 1, 1)).toEqual(["plot(y)", "plot(x)", null, "plot(y)", "plot"]);
  });

  it("stops at the oldest", () => {
    expect(walked("", -1, -1, -1, -1, -1).at(-1)).toBeNull();
  });
});

describe("remember", () => {
  it("takes no empty lines and no repetitions", () => {
    expect(remember(history, "  ").entries).toHaveLength(4);
    expect(remember(history, "plot(y)").entries).toHaveLength(4);
    expect(remember(history, "plot(x)").entries).toHaveLength(5);
  });

  it("forgets the oldest beyond its bound", () => {
    const full = historyOf(Array.from({ length: MAX_ENTRIES }, (_, index) => `f(${index})`));
    const after = remember(full, "new()");
    expect(after.entries).toHaveLength(MAX_ENTRIES);
    expect(after.entries[0]).toBe("f(1)");
  });
});

describe("search", () => {
  it("finds entries with all words, newest first, each once", () => {
    const repeated = historyOf([...history.entries, "plot(x)"]);
    expect(search(repeated, "PLOT", 10)).toEqual(["plot(x)", "plot(y)"]);
    expect(search(history, "x print", 10)).toEqual(["print(x)"]);
    expect(search(history, "", 2)).toEqual(["plot(y)", "print(x)"]);
    expect(search(history, "absent", 10)).toEqual([]);
  });
});
