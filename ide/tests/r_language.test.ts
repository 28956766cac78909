import { highlightTree, tagHighlighter, tags } from "@lezer/highlight";
import { describe, expect, it } from "vitest";
import { rLanguage } from "../src/editor/r_language";

const names = tagHighlighter([
  { tag: tags.string, class: "string" },
  { tag: tags.keyword, class: "keyword" },
  { tag: tags.comment, class: "comment" },
  { tag: tags.number, class: "number" },
  { tag: tags.function(tags.variableName), class: "call" },
  { tag: tags.variableName, class: "name" },
]);

function coloured(code: string): [string, string][] {
  const found: [string, string][] = [];
  highlightTree(rLanguage.parser.parse(code), names, (from, to, kind) => found.push([code.slice(from, to), kind]));
  return found;
}

describe("rLanguage", () => {
  it("tells calls from other names", () => {
    expect(coloured("f(x) + g (y)")).toEqual([
      ["f", "call"],
      ["x", "name"],
      ["g", "call"],
      ["y", "name"],
    ]);
  });

  it("knows raw strings", () => {
    expect(coloured('x <- r"---(a"b)"-)---" + 1')).toEqual([
      ["x", "name"],
      ['r"---(a"b)"-)---"', "string"],
      ["1", "number"],
    ]);
    expect(coloured("R'[a\nb]' # c")).toEqual([
      ["R'[a", "string"],
      ["b]'", "string"],
      ["# c", "comment"],
    ]);
  });

  it("takes no name that ends in r for one", () => {
    expect(coloured('bar"x"')).toEqual([
      ["bar", "name"],
      ['"x"', "string"],
    ]);
  });
});
