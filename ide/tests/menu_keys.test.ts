import { describe, expect, it } from "vitest";
import { targetOf } from "../src/shell/menu_keys";

const WORDS = ["New project…", "Open project…", "New session…", "Über", "Close project"];
const press = (key: string, held: Partial<Record<"ctrlKey" | "metaKey" | "altKey", boolean>> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...held,
});

describe("keys in a menu", () => {
  it("go round with the arrows, and to both ends", () => {
    expect(targetOf(press("ArrowDown"), WORDS, 0)).toBe(1);
    expect(targetOf(press("ArrowDown"), WORDS, 4)).toBe(0);
    expect(targetOf(press("ArrowUp"), WORDS, 0)).toBe(4);
    expect(targetOf(press("ArrowUp"), WORDS, -1)).toBe(4);
    expect(targetOf(press("ArrowDown"), WORDS, -1)).toBe(0);
    expect(targetOf(press("Home"), WORDS, 3)).toBe(0);
    expect(targetOf(press("End"), WORDS, 1)).toBe(4);
  });

  it("find the next item that begins with a letter", () => {
    expect(targetOf(press("n"), WORDS, 0)).toBe(2);
    expect(targetOf(press("N"), WORDS, 2)).toBe(0);
    expect(targetOf(press("c"), WORDS, 4)).toBe(4);
    expect(targetOf(press("ü"), WORDS, 0)).toBe(3);
    expect(targetOf(press("x"), WORDS, 0)).toBeNull();
  });

  it("leave other keys, and an empty menu, alone", () => {
    for (const key of ["Enter", " ", "Tab", "Escape", "Shift"]) expect(targetOf(press(key), WORDS, 0)).toBeNull();
    for (const held of ["ctrlKey", "metaKey", "altKey"] as const)
      expect(targetOf(press("n", { [held]: true }), WORDS, 0)).toBeNull();
    expect(targetOf(press("ArrowDown"), [], -1)).toBeNull();
  });
});
