import { describe, expect, it } from "vitest";
import type { App } from "../src/app";
import { keysOf, runKeys } from "../src/commands";
import {
  changed,
  environmentOf,
  formatSize,
  NO_OBJECTS,
  rowsOf,
  visibleRange,
} from "../src/environment/environment_model";
import { keyed, moved, parse, SMALLEST, STANDARD } from "../src/layout/layout_model";
import type { EnvironmentObject, ObjectKind, PlotsState } from "../src/net/protocol";
import type { Rpc } from "../src/net/rpc";
import { explain, NO_PLOTS, neighbour, pictureAddress, placeOf } from "../src/plots/plots_model";
import { PlotsStore } from "../src/plots/plots_store";
import { endingOf } from "../src/shell/ending";
import { joinPath, resolveEntry, shortPath, shownEntries } from "../src/shell/file_paths";

function object(name: string, kind: ObjectKind = "value"): EnvironmentObject {
  return { name, kind, class: ["numeric"], type: "double", length: 1, size: 56, summary: "1" };
}

describe("environment", () => {
  const objects = [object("x10"), object("x2"), object("f", "function"), object("d", "data"), object("p", "promise")];
  const environment = environmentOf({ name: "Global", objects, total: 5, truncated: false });
  const names = (filter: string): string[] =>
    rowsOf(environment, filter).map((row) =>
      row.type === "heading" ? `[${row.group} ${row.count}]` : row.object.name,
    );

  it("lists groups, names in natural order", () => {
    expect(names("")).toEqual(["[Data 1]", "d", "[Values 3]", "p", "x2", "x10", "[Functions 1]", "f"]);
  });

  it("filters by name and leaves out empty groups", () => {
    expect(names(" X1 ")).toEqual(["[Values 1]", "x10"]);
    expect(names("nothing")).toEqual([]);
  });

  it("follows changes", () => {
    const next = changed(environment, { changed: [object("new")], removed: ["x2", "absent"], total: 5 });
    expect([...(next?.objects.keys() ?? [])]).toEqual(["x10", "f", "d", "p", "new"]);
    expect(changed(environment, { reset: true })).toBeNull();
    expect(environment.objects.has("x2")).toBe(true);
    expect(rowsOf(NO_OBJECTS, "")).toEqual([]);
  });

  it("says sizes as people do", () => {
    expect([null, 56, 1000, 25_500, 999_600, 4_000_048, 1e13].map(formatSize)).toEqual([
      "",
      "56 B",
      "1.0 kB",
      "25.5 kB",
      "1.0 MB",
      "4.0 MB",
      "10.0 TB",
    ]);
  });

  it("draws only the rows in sight", () => {
    expect(visibleRange(100_000, 26, 26_000, 260)).toEqual({ first: 990, end: 1020 });
    expect(visibleRange(5, 26, 0, 260)).toEqual({ first: 0, end: 5 });
    expect(visibleRange(3, 26, 5000, 260)).toEqual({ first: 3, end: 3 });
  });
});

describe("plots", () => {
  const state: PlotsState = {
    active: "b",
    plots: [
      { id: "a", revision: 1 },
      { id: "b", revision: 4 },
    ],
    error: null,
  };

  it("knows its place in the history", () => {
    expect([placeOf(state), neighbour(state, -1), neighbour(state, 1)]).toEqual([1, "a", null]);
    expect([placeOf(NO_PLOTS), neighbour(NO_PLOTS, 1)]).toEqual([-1, null]);
  });

  it("asks for the picture at the size of the pane", () => {
    const size = { width: 500, height: 400, dpr: 2 };
    expect(pictureAddress(state, size)).toBe("graphics/b.png?revision=4&width=500&height=400&dpr=2");
    expect(pictureAddress(state, null)).toBeNull();
    expect(pictureAddress(NO_PLOTS, size)).toBeNull();
  });

  it("explains what to do about margins", () => {
    expect(explain("figure margins too large").title).toContain("too small");
    expect(explain("something else")).toEqual({ title: "The plot could not be drawn", advice: "something else" });
  });
});

describe("layout", () => {
  it("keeps every pane visible", () => {
    expect(moved(STANDARD, "left", 2).left).toBe(1 - SMALLEST);
    expect(moved(STANDARD, "columns", -1).columns).toBe(SMALLEST);
  });

  it("moves by keys along its own direction", () => {
    expect(keyed(0.5, "ArrowLeft", true)).toBeCloseTo(0.48);
    expect(keyed(0.5, "ArrowDown", false)).toBeCloseTo(0.52);
    expect(keyed(0.5, "ArrowUp", true)).toBeNull();
    expect(keyed(0.5, "Home", true)).toBe(SMALLEST);
    expect(keyed(0.5, "End", false)).toBe(1 - SMALLEST);
  });

  it.each([null, "", "nonsense", "[]", "null", '{"left":"x"}'])("reads %j as the standard", (stored) => {
    expect(parse(stored)).toEqual(STANDARD);
  });

  it("reads what it stored", () => {
    const layout = { columns: 0.3, left: 0.4, right: 0.5 };
    expect(parse(JSON.stringify(layout))).toEqual(layout);
  });
});

describe("files", () => {
  const entry = (name: string, kind: "file" | "dir" = "file") => ({ name, kind, size: 1, modified: 1 });

  it("joins paths", () => {
    expect([joinPath("/", "a"), joinPath("/a", "b")]).toEqual(["/a", "/a/b"]);
    expect([resolveEntry("/a", "b.R"), resolveEntry("/a", "/c"), resolveEntry("/a", "~/d")]).toEqual([
      "/a/b.R",
      "/c",
      "~/d",
    ]);
  });

  it("writes the home directory as people do", () => {
    expect([
      shortPath("/home/u", "/home/u"),
      shortPath("/home/u/a", "/home/u"),
      shortPath("/home/us", "/home/u"),
    ]).toEqual(["~", "~/a", "/home/us"]);
    expect(shortPath("/x", "")).toBe("/x");
  });

  it("lists folders first and hidden entries last", () => {
    const entries = [entry(".hidden"), entry("b10.R"), entry("b2.R"), entry("z", "dir"), entry(".git", "dir")];
    expect(shownEntries(entries).map((shown) => shown.name)).toEqual(["z", "b2.R", "b10.R", ".git", ".hidden"]);
  });
});

describe("endingOf", () => {
  it("tells a crash from an ordinary end", () => {
    expect(endingOf({ id: "s", state: "failed", cause: "It crashed.", signal: 11 })).toMatchObject({
      title: "R stopped unexpectedly",
      cause: "It crashed.",
      detail: "",
      failed: true,
    });
    expect(endingOf({ id: "s", state: "absent", code: 0 })).toMatchObject({ detail: "", failed: false });
    expect(endingOf({ id: "s", state: "failed", code: 2 }).detail).toBe("Exit code 2");
    expect(endingOf({ id: "s", state: "suspended", cause: "Nobody used it.", code: 101 })).toEqual({
      title: "The session is suspended",
      cause: "Nobody used it.",
      detail: "",
      failed: false,
      wayBack: "Resume the session",
      project: null,
      advice: null,
    });
    expect(endingOf({ id: "s", state: "failed", signal: 11 }).detail).toBe("Signal 11 (SIGSEGV: segmentation fault)");
    const failing = { id: "s", state: "failed", quick_failures: 2 } as const;
    expect(endingOf({ ...failing, quick_failures: 1, stored: 1e9 }).advice).toBeNull();
    expect(endingOf({ ...failing, stored: 1e9 }).advice?.start).toBe("no-restore");
    expect(endingOf({ ...failing, stored: null }).advice?.start).toBe("no-restore");
    expect(endingOf({ ...failing, stored: 0 }).advice?.start).toBe("empty");
    expect(endingOf({ id: "s", state: "failed", signal: "SIGXCPU" }).detail).toBe("Signal SIGXCPU");
  });
});

describe("endingOf a session whose project cannot be opened", () => {
  it("offers what helps", () => {
    const failed = { id: "s", state: "failed", project: "/p", code: 202 } as const;
    const ending = endingOf({ ...failed, cause: "There is no project file (.Rproj) in /p." });
    expect(ending).toMatchObject({ title: "The project cannot be opened", project: "no-file", wayBack: "Try again" });
    expect(endingOf({ ...failed, code: 203, cause: "The project folder /p is gone." }).project).toBe("other");
    expect(endingOf({ ...failed, cause: "The session ended with exit code 202." }).project).toBeNull();
  });
});

describe("keysOf", () => {
  const press = (key: string, held: Partial<KeyboardEvent> = {}): string =>
    keysOf({ key, ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, ...held } as KeyboardEvent);

  it("names keys as the command table does", () => {
    expect(press("s", { ctrlKey: true, shiftKey: true })).toBe("Ctrl+Shift+S");
    expect(press("Enter", { metaKey: true })).toBe("Ctrl+Enter");
    expect(press("n", { ctrlKey: true, altKey: true })).toBe("Ctrl+Alt+N");
  });

  it("leaves alone what an editor has handled", () => {
    const event = { key: "s", ctrlKey: true, defaultPrevented: true } as KeyboardEvent;
    expect(runKeys({} as App, event)).toBe(false);
  });
});

describe("PlotsStore", () => {
  it("does not bring a suspended session back to tell a size", async () => {
    const told: unknown[] = [];
    const rpc = {
      call: (_: string, params: unknown) => {
        told.push(params);
        return Promise.resolve(NO_PLOTS);
      },
    } as unknown as Rpc;
    let isAwake = false;
    const store = new PlotsStore(
      rpc,
      () => undefined,
      () => isAwake,
    );
    store.resize({ width: 10, height: 20, dpr: 1 });
    expect(told).toEqual([]);
    isAwake = true;
    store.tellPendingSize();
    expect(told).toEqual([[10, 20, 1]]);
  });
});
