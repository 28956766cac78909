import { beforeEach, describe, expect, it } from "vitest";
import type { ClientInit, SessionEvent, Timeouts } from "../src/net/protocol";
import { countdown, inBytes, LifeStore } from "../src/shell/life_store";

const ACTIVE: Timeouts = { phase: "active", action: null, seconds: null, text: "", blockers: [] };
let now: number;
let store: LifeStore;

beforeEach(() => {
  now = 1000;
  store = new LifeStore(() => now);
});

function told(data: Partial<Timeouts>): void {
  store.receive({ id: 1, type: "session_timeouts", data: { ...ACTIVE, ...data } } as SessionEvent);
}

describe("life of a session", () => {
  it("counts down to an end, and takes it back", () => {
    told({ phase: "warned", action: "kill", seconds: 90, text: "The rule." });
    expect(store.life.value).toEqual({ kind: "ending", action: "kill", endsAt: 91_000, rule: "The rule." });
    told({});
    expect(store.life.value).toEqual({ kind: "active" });
  });

  it("names what stands against a suspension until it is dismissed", () => {
    const blockers = [{ kind: "busy", reason: "R is working." }];
    told({ phase: "blocked", text: "Nobody used it.", blockers });
    expect(store.life.value).toEqual({ kind: "blocked", why: "Nobody used it.", blockers });
    store.dismiss();
    expect(store.life.value.kind).toBe("active");
  });

  it("shows how much is written as long as it is", () => {
    told({ phase: "suspending", action: "suspend" });
    store.receive({ id: 2, type: "workspace_progress", data: { action: "suspend", done: 5, total: 10 } });
    expect(store.written.value).toEqual({ done: 5, total: 10 });
    told({});
    expect(store.written.value).toBeNull();
  });

  it("leaves checkpoints alone", () => {
    store.receive({ id: 2, type: "workspace_progress", data: { action: "checkpoint", done: 5, total: 10 } });
    expect([store.written.value, store.loading.value]).toEqual([null, null]);
  });

  it("shows what is loaded until all is, or until it was stopped", () => {
    const progress = { action: "resume", done: 5, total: 10, left: 3 } as const;
    store.receive({ id: 2, type: "workspace_progress", data: { ...progress, loading: true } });
    expect(store.loading.value).toEqual({ done: 5, total: 10 });
    store.receive({ id: 3, type: "workspace_progress", data: { ...progress, loading: false } });
    expect(store.loading.value).toBeNull();
  });

  it("is right in a page that comes in the middle", () => {
    const timeouts: Timeouts = { ...ACTIVE, phase: "suspending", action: "suspend" };
    const workspace = { loading: true, left: 1, done: 2, total: 3 };
    store.restore({ timeouts, workspace } as unknown as ClientInit);
    expect(store.life.value.kind).toBe("suspending");
    expect(store.loading.value).toEqual({ done: 2, total: 3 });
    store.gone();
    expect([store.life.value.kind, store.loading.value]).toEqual(["active", null]);
  });
});

describe("words", () => {
  it.each([
    [0, "0 bytes"],
    [999, "999 bytes"],
    [1500, "2 kB"],
    [640_000_000, "640 MB"],
    [1_234_000, "1.2 MB"],
    [10_240_000_000, "10.2 GB"],
    [999_600, "1.0 MB"],
  ])("%d bytes are %s", (count, words) => expect(inBytes(count)).toBe(words));

  it.each([
    [-5, "0:00"],
    [59_001, "1:00"],
    [65_000, "1:05"],
    [3_600_000, "1:00:00"],
  ])("%d ms are %s", (milliseconds, words) => expect(countdown(milliseconds)).toBe(words));
});
