import { ChangeSet } from "@codemirror/state";
import { expect, test } from "vitest";
import * as Y from "yjs";
import { controlMessage, Kind, message } from "../src/collab/collab_messages";
import { colleagues } from "../src/collab/remote_cursors";
import { SharedText, type TextOwner } from "../src/collab/shared_text";
import { currentText, edited, shadowed, synced, take } from "../src/editor/document_sync";

class Owner implements TextOwner {
  readonly sent: Uint8Array[] = [];
  renewals = 0;
  syncs = 0;
  send(data: Uint8Array<ArrayBuffer>): void {
    this.sent.push(data);
  }
  renewed(): void {
    this.renewals += 1;
  }
  synced(): void {
    this.syncs += 1;
  }
  control(): void {}
}

function hello(epoch: string, ready = true): Uint8Array {
  return controlMessage({ event: "hello", epoch, user: "anna", ready });
}

test("says who is here and what it lacks when it is greeted", () => {
  const owner = new Owner();
  const shared = new SharedText(owner);
  shared.receive(hello("e1"));
  expect(owner.sent.map((each) => each[0])).toEqual([Kind.awareness, Kind.sync]);
  expect(shared.awareness.getLocalState()).toMatchObject({ user: { name: "anna" } });
});

test("asks for nothing while the text is not there yet", () => {
  const owner = new Owner();
  new SharedText(owner).receive(hello("e1", false));
  expect(owner.sent.map((each) => each[0])).toEqual([Kind.awareness]);
});

test("keeps its text over breaks and begins anew with another epoch", () => {
  const owner = new Owner();
  const shared = new SharedText(owner);
  shared.receive(hello("e1"));
  shared.text.insert(0, "mine");
  shared.connected();
  shared.receive(hello("e1"));
  expect(shared.text.toString()).toBe("mine");
  shared.receive(hello("e2"));
  expect(shared.text.toString()).toBe("");
  expect(owner.renewals).toBe(1);
});

test.each([
  ["one\ntwo", "one\nTWO\ntwo"],
  ["", "all"],
  ["gone", ""],
  ["a😀b", "a😁b"],
  ["😀😀", "😀"],
  ["x\u{1f600}", "x\u{10600}"],
])("becomes what was typed while nobody kept the text: %j, %j", (before, after) => {
  const shared = new SharedText(new Owner());
  const other = new Y.Doc();
  shared.text.insert(0, before);
  shared.become(after);
  Y.applyUpdate(other, Y.encodeStateAsUpdate(shared.doc));
  expect(other.getText("text").toString()).toBe(after);
});

test("takes the state of the host and tells its own changes only", () => {
  const owner = new Owner();
  const shared = new SharedText(owner);
  shared.receive(hello("e1"));
  const host = new Y.Doc();
  host.getText("text").insert(0, "theirs");
  const update = Y.encodeStateAsUpdate(host);
  owner.sent.length = 0;
  shared.receive(new Uint8Array([0, 1, update.length, ...update]));
  expect(shared.text.toString()).toBe("theirs");
  expect(owner.syncs).toBeGreaterThan(0);
  expect(owner.sent).toEqual([]);
  shared.text.insert(0, "mine and ");
  expect(owner.sent).toHaveLength(1);
});

test("believes of others only what it can show", () => {
  const shared = new SharedText(new Owner());
  const states: [number, unknown][] = [
    [1, { user: { name: "b".repeat(500) }, typing: true }],
    [2, { user: { name: 7 } }],
    [3, { user: null }],
    [4, { cursor: "nonsense", user: { name: "carl" } }],
  ];
  for (const [client, state] of states) shared.awareness.getStates().set(client, state as Record<string, unknown>);
  expect(colleagues(shared).map((each) => [each.client, each.name.length])).toEqual([
    [1, 64],
    [4, 4],
  ]);
});

test("what the session has never changes a shared text here", () => {
  const before = edited(synced(1, "abc"), ChangeSet.of({ from: 0, insert: "x" }, 3));
  const after = shadowed(before, 5, "other");
  expect(currentText(after).toString()).toBe("xabc");
  expect(take(after)?.splice).toEqual({ from: 0, to: 5, insert: "xabc" });
});

test("a message has its kind in front", () => {
  expect([...message(4, () => undefined)]).toEqual([4]);
});
