import { describe, expect, it } from "vitest";
import { plainText } from "../src/console/console_model";
import { ConsoleStore } from "../src/console/console_store";
import type { SessionEvent } from "../src/net/protocol";

let last = 0;
function events(...parts: readonly Omit<SessionEvent, "id">[]): SessionEvent[] {
  return parts.map((part) => {
    last += 1;
    return { id: last, ...part } as SessionEvent;
  });
}
const output = (text: string) => ({ type: "console_write_output", data: { text } }) as const;
const error = (text: string) => ({ type: "console_write_error", data: { text } }) as const;
const input = (text: string, id = "elsewhere") =>
  ({ type: "console_write_input", data: { text, console_id: id } }) as const;
const prompt = (text: string, history = true) => ({ type: "console_prompt", data: { prompt: text, history } }) as const;
const busy = (value: boolean) => ({ type: "busy", data: { value } }) as const;

describe("ConsoleStore", () => {
  it("shows what was said, in order", () => {
    const store = new ConsoleStore();
    store.receive(events(prompt("> ")));
    store.receive(events(input("> 1\n"), output("[1]"), output(" 1\n"), error("oh\n"), prompt("> ")));
    expect(plainText(store.text.value)).toBe("> 1\n[1] 1\noh\n");
    expect(store.prompt.value).toEqual({ text: "> ", history: true });
  });

  it("has no prompt while R works on a line", () => {
    const store = new ConsoleStore();
    store.receive(events(prompt("> ")));
    store.receive(events(input("> f()\n"), busy(true)));
    expect([store.prompt.value, store.busy.value]).toEqual([null, true]);
  });

  it("knows a continuation from other prompts", () => {
    const store = new ConsoleStore();
    store.receive(events(prompt("+ ")));
    expect(store.continuing.value).toBe(true);
    store.receive(events(prompt("Browse[1]> ")));
    expect(store.continuing.value).toBe(false);
  });

  it("remembers what was typed here once, and what came from other tabs", () => {
    const store = new ConsoleStore();
    store.receive(events(prompt("> ")));
    const id = store.submit("x <- 1\ny <- 2");
    store.receive(events(input("> x <- 1\n", id), prompt("> "), input("> y <- 2\n", id), prompt("> ")));
    store.receive(events(input("> other()\n"), prompt("> ")));
    expect(store.history.value.entries).toEqual(["x <- 1\ny <- 2", "other()"]);
  });

  it("keeps answers to readline() out of the history", () => {
    const store = new ConsoleStore();
    store.receive(events(prompt("Name: ", false)));
    const id = store.submit("Ann");
    store.receive(events(input("Name: Ann\n", id), prompt("Name: ", false), input("Name: Bob\n"), prompt("> ")));
    expect(store.history.value.entries).toEqual([]);
  });

  it("begins with what the session had", () => {
    const store = new ConsoleStore();
    store.receive(events(output("old\n")));
    const actions = [
      { type: "prompt", text: "> " },
      { type: "input", text: "1\n" },
      { type: "output", text: "[1] 1\n" },
    ] as const;
    store.restore({ actions, prompt: "> ", history: true, busy: false }, ["1"], false);
    expect(plainText(store.text.value)).toBe("> 1\n[1] 1\n");
    expect(store.history.value.entries).toEqual(["1"]);
  });

  it("keeps the output of the process before when asked to", () => {
    const store = new ConsoleStore();
    store.receive(events(output("old\n")));
    store.restore({ actions: [{ type: "output", text: "new\n" }], prompt: null, history: false, busy: true }, [], true);
    expect(plainText(store.text.value)).toBe("old\nnew\n");
    expect(store.busy.value).toBe(true);
  });
});
