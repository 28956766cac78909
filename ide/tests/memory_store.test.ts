import { expect, it } from "vitest";
import { MemoryStore, memoryWords } from "../src/environment/memory_store";
import type { SessionEvent } from "../src/net/protocol";
import type { Rpc } from "../src/net/rpc";

const GB = 2 ** 30;

function storeWith(answers: unknown[]): MemoryStore {
  return new MemoryStore({ call: async () => answers.shift() ?? null } as unknown as Rpc);
}

it("asks after R has worked, and while it works", async () => {
  const answers = [2, 3].map((used) => ({ used: used * GB, limit: 4 * GB, warning: null }));
  const store = storeWith(answers);
  store.restore({ used: GB, limit: 4 * GB, warning: null });
  await store.look(false);
  expect([store.gauge.value?.share, answers.length]).toEqual([0.25, 2]);
  store.receive({ id: 1, type: "busy", data: { value: false } } as SessionEvent);
  await store.look(false);
  await store.look(false);
  expect([store.gauge.value?.share, answers.length]).toEqual([0.5, 1]);
  await store.look(true);
  expect(store.gauge.value?.share).toBe(0.75);
});

it("warns from 85 % on and shows nothing without a limit or a process", async () => {
  const store = storeWith([]);
  store.restore(null);
  await store.look(true);
  expect(store.gauge.value).toBeNull();
  const data = { used: 3.5 * GB, limit: 4 * GB, text: "Memory runs short." };
  store.receive({ id: 1, type: "memory_warning", data } as SessionEvent);
  expect([store.gauge.value?.isShort, store.warning.value]).toEqual([true, "Memory runs short."]);
  store.gone();
  expect([store.gauge.value, store.warning.value]).toEqual([null, null]);
});

it("writes sizes as the session does", () => {
  expect([850 * 2 ** 20, 4 * GB, 4.1 * GB].map(memoryWords)).toEqual(["850 MB", "4 GB", "4.1 GB"]);
});
