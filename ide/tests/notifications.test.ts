import { describe, expect, it } from "vitest";
import { Notifications } from "../src/shell/notifications";

function memory(): {
  get(key: string): string | null;
  set(key: string, value: string): void;
  kept: Map<string, string>;
} {
  const kept = new Map<string, string>();
  return { kept, get: (key) => kept.get(key) ?? null, set: (key, value) => void kept.set(key, value) };
}

const MESSAGE = { id: "a", message: "At six.", ends: 1 };

describe("messages of the administrator", () => {
  it("are shown until they are dismissed, also in the next page", () => {
    const browser = memory();
    const first = new Notifications(browser);
    first.receive([MESSAGE]);
    expect(first.shown.value).toEqual([MESSAGE]);
    first.dismiss("a");
    expect(first.shown.value).toEqual([]);
    const second = new Notifications(browser);
    second.receive([MESSAGE, { ...MESSAGE, id: "b" }]);
    expect(second.shown.value.map(({ id }) => id)).toEqual(["b"]);
  });

  it("survive a memory that holds nonsense", () => {
    const browser = memory();
    browser.set("dismissed-notifications", "{");
    const store = new Notifications(browser);
    store.receive([MESSAGE]);
    expect(store.shown.value).toEqual([MESSAGE]);
  });

  it("are forgotten when too many were dismissed", () => {
    const browser = memory();
    const store = new Notifications(browser);
    for (let i = 0; i < 250; i += 1) store.dismiss(String(i));
    expect((JSON.parse(browser.get("dismissed-notifications") ?? "[]") as unknown[]).length).toBe(100);
  });
});
