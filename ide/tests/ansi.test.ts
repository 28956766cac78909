import { describe, expect, it } from "vitest";
import { type AnsiSink, applyStyle, PLAIN, paletteColour, safeLink, scan } from "../src/console/ansi";

function recorded(text: string): { calls: unknown[]; unread: string } {
  const calls: unknown[] = [];
  const record =
    (name: string) =>
    (...args: unknown[]): void => {
      calls.push([name, ...args]);
    };
  const sink: AnsiSink = {
    text: record("text"),
    lineFeed: record("lineFeed"),
    carriageReturn: record("carriageReturn"),
    backspace: record("backspace"),
    formFeed: record("formFeed"),
    eraseLine: record("eraseLine"),
    moveTo: record("moveTo"),
    style: record("style"),
    link: record("link"),
  };
  const unread = scan(text, sink);
  return { calls, unread };
}

describe("scan", () => {
  it("tells text from control characters", () => {
    expect(recorded("a\tb\r\nc\b\f").calls).toEqual([
      ["text", "a\tb"],
      ["carriageReturn"],
      ["lineFeed"],
      ["text", "c"],
      ["backspace"],
      ["formFeed"],
    ]);
  });

  it("reads colours, erasing and moves", () => {
    expect(recorded("\x1b[1;31mx\x1b[0m\x1b[K\x1b[5G\x1b[2D\x1b[C").calls).toEqual([
      ["style", [1, 31]],
      ["text", "x"],
      ["style", [0]],
      ["eraseLine", 0],
      ["moveTo", 4, false],
      ["moveTo", -2, true],
      ["moveTo", 1, true],
    ]);
  });

  it("takes a missing parameter for 0", () => {
    expect(recorded("\x1b[m").calls).toEqual([["style", [0]]]);
  });

  it("drops sequences and control characters it does not show", () => {
    expect(recorded("\x1b[?25la\x07\x00b\x1b[2J\x1b]0;title\x07c\x1b(Bd").calls).toEqual([
      ["text", "a"],
      ["text", "b"],
      ["text", "c"],
      ["text", "Bd"],
    ]);
  });

  it.each(["\x1b", "\x1b[", "\x1b[38;5", "\x1b]8;;https://x.org", "\x1b]8;;https://x.org\x1b"])(
    "keeps the unfinished sequence %j for later",
    (begun) => {
      const { calls, unread } = recorded(`x${begun}`);
      expect(calls).toEqual([["text", "x"]]);
      expect(unread).toBe(begun);
    },
  );

  it("gives up a sequence that never ends", () => {
    const { unread, calls } = recorded(`\x1b]8;;${"x".repeat(10_000)}`);
    expect(unread).toBe("");
    expect(calls.length).toBeGreaterThan(0);
  });

  it("opens and closes links to web pages only", () => {
    expect(recorded("\x1b]8;;https://r-project.org/\x1b\\R\x1b]8;;\x07").calls).toEqual([
      ["link", "https://r-project.org/"],
      ["text", "R"],
      ["link", null],
    ]);
  });
});

describe("safeLink", () => {
  it.each(["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "JaVaScRiPt:1", "no address", ""])(
    "refuses %j",
    (address) => expect(safeLink(address)).toBeNull(),
  );

  it.each(["http://a.b/c", "https://a.b/"])("accepts %j", (address) => expect(safeLink(address)).toBe(address));
});

describe("applyStyle", () => {
  it("adds and takes away", () => {
    const pen = applyStyle(PLAIN, [1, 3, 4, 31]);
    expect(pen).toEqual({ bold: true, italic: true, underline: true, fg: 1 });
    expect(applyStyle(pen, [22, 39])).toEqual({ italic: true, underline: true });
    expect(applyStyle(pen, [0])).toBe(PLAIN);
  });

  it("reads the 256 colours and true colour, both ground and text", () => {
    expect(applyStyle(PLAIN, [38, 5, 208, 48, 2, 1, 20, 255])).toEqual({ fg: 208, bg: "#0114ff" });
    expect(applyStyle(PLAIN, [95, 102])).toEqual({ fg: 13, bg: 10 });
  });

  it("keeps the link when all styles end", () => {
    expect(applyStyle({ link: "https://x.org/", bold: true }, [0])).toEqual({ link: "https://x.org/" });
  });

  it("survives nonsense", () => {
    expect(applyStyle(PLAIN, [38])).toEqual(PLAIN);
    expect(applyStyle(PLAIN, [38, 5, 9999])).toEqual({ fg: 255 });
    expect(applyStyle(PLAIN, [777])).toEqual(PLAIN);
  });
});

describe("paletteColour", () => {
  it("is that of xterm", () => {
    expect(paletteColour(16)).toBe("#000000");
    expect(paletteColour(208)).toBe("#ff8700");
    expect(paletteColour(231)).toBe("#ffffff");
    expect(paletteColour(244)).toBe("#808080");
  });
});
