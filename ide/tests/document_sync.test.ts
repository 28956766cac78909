import { ChangeSet } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import {
  acknowledged,
  currentText,
  difference,
  edited,
  isClean,
  notDelivered,
  rebased,
  type SyncState,
  synced,
  take,
  textOf,
} from "../src/editor/document_sync";

function type(state: SyncState, from: number, to: number, insert: string): SyncState {
  const { length } = currentText(state);
  return edited(state, ChangeSet.of({ from, to, insert: textOf(insert) }, length));
}

function sent(state: SyncState): SyncState {
  const taken = take(state);
  if (taken === null) throw new Error("nothing to send");
  return taken.state;
}

const text = (state: SyncState): string => currentText(state).toString();

describe("sending", () => {
  it("makes one splice of several edits", () => {
    const state = type(type(synced(1, "hello world"), 5, 5, ","), 0, 1, "J");
    expect(take(state)?.splice).toEqual({ from: 0, to: 5, insert: "Jello," });
  });

  it("sends one splice at a time", () => {
    const state = type(sent(type(synced(1, ""), 0, 0, "a")), 1, 1, "b");
    expect(take(state)).toBeNull();
    const next = take(acknowledged(state, 2));
    expect(next?.splice).toEqual({ from: 1, to: 1, insert: "b" });
    expect(next?.state.revision).toBe(2);
  });

  it("is clean when everything was acknowledged", () => {
    const state = acknowledged(sent(type(synced(1, "a"), 1, 1, "b")), 2);
    expect(isClean(state)).toBe(true);
    expect(text(state)).toBe("ab");
  });

  it("sends again what was not delivered, with what came after", () => {
    const state = notDelivered(type(sent(type(synced(1, "x"), 1, 1, "a")), 2, 2, "b"));
    expect(take(state)?.splice).toEqual({ from: 1, to: 1, insert: "ab" });
  });

  it("counts in UTF-16 units and keeps carriage returns", () => {
    const state = type(synced(1, "😀\r\nb"), 2, 2, "é\n");
    expect(take(state)?.splice).toEqual({ from: 2, to: 2, insert: "é\n" });
    expect(text(state)).toBe("😀é\n\r\nb");
  });
});

describe("rebased", () => {
  it("takes over the text of another tab", () => {
    const { state, changes } = rebased(synced(1, "abc"), 4, "aXc");
    expect(changes?.apply(textOf("abc")).toString()).toBe("aXc");
    expect([text(state), state.revision]).toEqual(["aXc", 4]);
  });

  it("keeps edits made here on top of edits made there", () => {
    const before = type(synced(1, "one two"), 7, 7, " three");
    const { state, changes } = rebased(before, 2, "zero one two");
    expect(text(state)).toBe("zero one two three");
    expect(changes?.apply(currentText(before)).toString()).toBe("zero one two three");
    expect(take(state)?.splice).toEqual({ from: 12, to: 12, insert: " three" });
  });

  it("sees that what was on its way had arrived", () => {
    const before = type(sent(type(synced(1, "a"), 1, 1, "b")), 2, 2, "c");
    const { state, changes } = rebased(before, 2, "ab");
    expect([text(state), changes]).toEqual(["abc", null]);
    expect(take(state)?.splice).toEqual({ from: 2, to: 2, insert: "c" });
  });

  it("keeps edits that a new process has never seen", () => {
    const before = notDelivered(type(sent(type(synced(7, "saved"), 5, 5, " and")), 9, 9, " more"));
    const { state, changes } = rebased(before, 1, "saved");
    expect([text(state), changes, state.revision]).toEqual(["saved and more", null, 1]);
    expect(take(state)?.splice.insert).toBe(" and more");
  });

  it("converges whatever both sides did", () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % below;
    };
    for (let round = 0; round < 300; round += 1) {
      const base = "the quick brown fox\njumps over the lazy dog";
      let ours = synced(1, base);
      for (let i = 0; i < random(4); i += 1) {
        const { length } = currentText(ours);
        const from = random(length + 1);
        ours = type(ours, from, Math.min(length, from + random(5)), "o".repeat(random(4)));
      }
      const at = random(base.length);
      const theirs = base.slice(0, at) + "T".repeat(random(4)) + base.slice(at + random(6));
      const shown = currentText(ours);
      const { state, changes } = rebased(ours, 2, theirs);
      expect((changes?.apply(shown) ?? shown).toString()).toBe(text(state));
      const splice = take(state)?.splice ?? { from: 0, to: 0, insert: "" };
      expect(theirs.slice(0, splice.from) + splice.insert + theirs.slice(splice.to)).toBe(text(state));
    }
  });
});

describe("difference", () => {
  it("is the smallest single replacement", () => {
    expect(difference(textOf("same"), textOf("same"))).toBeNull();
    expect(difference(textOf("a\nb\nc"), textOf("a\nB\nc"))?.toJSON()).toEqual([2, [1, "B"], 2]);
    expect(difference(textOf("aaa"), textOf("aaaa"))?.apply(textOf("aaa")).toString()).toBe("aaaa");
  });
});
