import { ChangeSet } from "@codemirror/state";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DocumentStore } from "../src/editor/document_store";
import { textOf } from "../src/editor/document_sync";
import { SEND_AFTER_MS } from "../src/editor/document_uploader";
import type { OpenDocument } from "../src/editor/open_document";
import type { DocumentData } from "../src/net/protocol";
import { type Rpc, RpcError } from "../src/net/rpc";

/** The documents of a session as the protocol describes them. */
class FakeSession {
  clientId = "me";
  calls: string[] = [];
  documents = new Map<string, DocumentData>();
  refuse: RpcError | null = null;
  private made = 0;

  add(contents: string, path: string | null = null, dirty = path === null): DocumentData {
    this.made += 1;
    const data: DocumentData = {
      id: `0000000${this.made}`,
      path,
      name: path?.split("/").at(-1) ?? `Untitled${this.made}`,
      type: "r",
      contents,
      revision: 1,
      dirty,
      encoding: "UTF-8",
      line_ending: "\n",
      created: 0,
      order: this.made,
    };
    this.documents.set(data.id, data);
    return data;
  }

  async call(method: string, params: readonly unknown[]): Promise<unknown> {
    this.calls.push(method);
    if (this.refuse !== null) throw this.refuse;
    if (method === "list_documents") return [...this.documents.values()];
    const [id, ...rest] = params as [string, ...unknown[]];
    if (method === "new_document") return this.add(String(rest[0]));
    if (method === "open_document") return this.opened(id);
    const data = this.get(id);
    if (method === "get_document") return data;
    if (method === "update_document") return this.splice(data, ...(rest as [number, number, number, string]));
    if (method === "set_document") return this.put(data, String(rest[0]));
    if (method === "save_document") return this.put(data, data.contents, String(rest[0] ?? data.path));
    this.documents.delete(id);
    return null;
  }

  put(data: DocumentData, contents: string, path?: string): DocumentData {
    const saved = path === undefined ? { dirty: true } : { dirty: false, path, name: path.split("/").at(-1) ?? "" };
    const next = { ...data, contents, revision: data.revision + (path === undefined ? 1 : 0), ...saved };
    this.documents.set(data.id, next);
    return next;
  }

  get(id: string): DocumentData {
    const data = this.documents.get(id);
    if (data === undefined) throw new RpcError(10, `no document ${id}`);
    return data;
  }

  private opened(path: string): DocumentData {
    const open = [...this.documents.values()].find((data) => data.path === path);
    return open ?? this.add(`file ${path}`, path);
  }

  private splice(data: DocumentData, base: number, from: number, to: number, insert: string): DocumentData {
    if (base !== data.revision) throw new RpcError(1001, "stale");
    return this.put(data, data.contents.slice(0, from) + insert + data.contents.slice(to));
  }
}

let session: FakeSession;
let store: DocumentStore;
let failures: unknown[];

function type(document: OpenDocument, insert: string): void {
  const text = document.text;
  const changes = ChangeSet.of({ from: text.length, insert: textOf(insert) }, text.length);
  store.edited(document, changes, changes.apply(text));
}

async function joined(...contents: readonly string[]): Promise<readonly OpenDocument[]> {
  for (const text of contents) session.add(text, `/home/u/${text}.R`);
  await store.adopt([...session.documents.values()]);
  return store.documents.value;
}

function first(): OpenDocument {
  const [document] = store.documents.value;
  if (document === undefined) throw new Error("no document is open");
  return document;
}

beforeEach(() => {
  vi.useFakeTimers();
  session = new FakeSession();
  failures = [];
  store = new DocumentStore(session as unknown as Rpc, (error) => failures.push(error));
});

afterEach(() => {
  vi.useRealTimers();
});

describe("typing", () => {
  it("reaches the session soon, as one message", async () => {
    await joined("x");
    type(first(), "a");
    type(first(), "b");
    expect(store.hasUnconfirmed).toBe(true);
    await vi.advanceTimersByTimeAsync(SEND_AFTER_MS);
    expect(session.get(first().id).contents).toBe("xab");
    expect(session.calls).toEqual(["update_document"]);
    expect(store.hasUnconfirmed).toBe(false);
  });

  it("is kept while the session cannot be reached, and sent when it can", async () => {
    await joined("x");
    session.refuse = new RpcError(200, "lost");
    type(first(), "a");
    await vi.advanceTimersByTimeAsync(SEND_AFTER_MS);
    expect([store.hasUnconfirmed, failures]).toEqual([true, []]);
    session.refuse = null;
    await store.flushAll();
    expect(session.get(first().id).contents).toBe("xa");
  });

  it("survives another tab's edit that came first", async () => {
    await joined("x");
    session.put(session.get(first().id), "theirs x");
    type(first(), " ours");
    await vi.advanceTimersByTimeAsync(SEND_AFTER_MS);
    expect(session.get(first().id).contents).toBe("theirs x ours");
    expect(first().text.toString()).toBe("theirs x ours");
  });

  it("makes the tab dirty, and clean again when it is undone", async () => {
    await joined("x");
    type(first(), "a");
    expect(first().dirty.value).toBe(true);
    const undo = ChangeSet.of({ from: 1, to: 2 }, 2);
    store.edited(first(), undo, textOf("x"));
    expect(first().dirty.value).toBe(false);
  });
});

describe("changes elsewhere", () => {
  it("come in", async () => {
    await joined("x");
    session.put(session.get(first().id), "y");
    store.receive({ id: 1, type: "document_changed", data: { id: first().id, revision: 2, clientId: "other" } });
    await vi.advanceTimersByTimeAsync(0);
    expect([first().text.toString(), first().dirty.value]).toEqual(["y", true]);
  });

  it("of this tab itself are no news", async () => {
    await joined("x");
    store.receive({ id: 1, type: "document_changed", data: { id: first().id, revision: 2, clientId: "me" } });
    await vi.advanceTimersByTimeAsync(0);
    expect(session.calls).toEqual([]);
  });

  it("open and close tabs", async () => {
    await joined("x");
    const other = session.add("y", "/y.R");
    store.receive({ id: 1, type: "document_opened", data: { document: other } });
    store.receive({ id: 2, type: "document_opened", data: { document: other } });
    expect(store.documents.value.map((document) => document.meta.value.name)).toEqual(["x.R", "y.R"]);
    store.receive({ id: 3, type: "document_closed", data: { id: first().id } });
    expect(store.active.value?.meta.value.name).toBe("y.R");
  });
});

describe("refresh", () => {
  it("makes up for changes, new and closed documents that nobody told of", async () => {
    await joined("x", "y");
    const [x, y] = store.documents.value;
    session.put(session.get(x?.id ?? ""), "x changed");
    session.documents.delete(y?.id ?? "");
    session.add("z", "/z.R");
    await store.refresh();
    expect(store.documents.value.map((document) => document.text.toString())).toEqual(["x changed", "z"]);
  });
});

describe("saving", () => {
  it("sends the newest text first", async () => {
    await joined("x");
    type(first(), "a");
    await store.save(first(), null);
    expect(session.calls).toEqual(["update_document", "save_document"]);
    expect(first().dirty.value).toBe(false);
  });

  it("takes the new name", async () => {
    await store.create("r", "1");
    await store.save(first(), "/home/u/new.R");
    expect(first().meta.value).toEqual({ path: "/home/u/new.R", name: "new.R", type: "r" });
  });

  it("refuses to call a text saved that did not reach the session", async () => {
    await joined("x");
    type(first(), "a");
    session.refuse = new RpcError(200, "lost");
    await expect(store.save(first(), null)).rejects.toBeInstanceOf(RpcError);
    expect(first().dirty.value).toBe(true);
  });
});

describe("a new process", () => {
  it("gets what the old one did not", async () => {
    await joined("x");
    session.refuse = new RpcError(21, "ended");
    type(first(), " unsent");
    await vi.advanceTimersByTimeAsync(SEND_AFTER_MS);
    session.refuse = null;
    await store.adopt([...session.documents.values()]);
    expect(session.get(first().id).contents).toBe("x unsent");
  });

  it("finds a document under another id by its path", async () => {
    await joined("x");
    const key = first().key;
    await store.adopt([{ ...session.get(first().id), id: "ffffffff" }]);
    expect([first().key, first().id, store.documents.value.length]).toEqual([key, "ffffffff", 1]);
  });

  it("opens again what it does not have, with our text", async () => {
    await joined("x");
    await store.create("r", "scratch");
    const before = store.documents.value.map((document) => document.text.toString());
    await store.adopt([]);
    expect(store.documents.value.map((document) => document.text.toString())).toEqual(before);
    for (const document of store.documents.value)
      expect(session.get(document.id).contents).toBe(document.text.toString());
  });
});
